// Keeps a socket open whose peer has reset the connection, until what the peer had sent before is read: a server may
// answer a request that it does not want to read to its end, and close. Node.js would destroy the socket as soon as a
// write fails, and the answer with it.
//
//   peer: 413, close ──> write: ECONNRESET, EPIPE ──> noted, writes are dropped ──> read: the 413, then the end
//
// Reading ends by itself, since the peer is gone. Whoever reads must not take that for a regular end.

import { Socket } from "node:net";

export class WriteGuard {
  readonly #socket: Socket;
  readonly #failed: (error: Error) => void;
  #hasFailed = false;

  /** `failed` is called once, for the first write that the peer did not take. */
  constructor(socket: Socket, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#failed = failed;
    // Where the runtime would destroy it, and not around each write: that would cost a proxy 5 % of its speed.
    socket.destroy = (error) => (isReset(error) ? this.#keep(error) : Socket.prototype.destroy.call(socket, error));
  }

  /** The peer takes nothing any more. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whoever has the socket from here on hears of such failures as from any socket. */
  release(): void {
    // Not deleted: an object that loses a property is slow from then on, and a tunnel may write for hours.
    this.#socket.destroy = (error) => Socket.prototype.destroy.call(this.#socket, error);
  }

  /** The stream has noted the error in both halves, and would neither read nor end any more. */
  #keep(error: Error): Socket {
    for (const half of ["_readableState", "_writableState"]) {
      const state: unknown = Reflect.get(this.#socket, half);
      if (typeof state === "object" && state !== null) Reflect.set(state, "errored", null);
    }
    if (!this.#hasFailed) {
      this.#hasFailed = true;
      this.#failed(error);
    }
    return this.#socket;
  }
}

/** Of a write; what a read meets ends the connection. */
function isReset(error: Error | undefined): error is Error {
  if (error === undefined || !("code" in error && "syscall" in error)) return false;
  return error.syscall === "write" && (error.code === "EPIPE" || error.code === "ECONNRESET");
}
