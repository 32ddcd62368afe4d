// Keeps a socket open whose peer has reset the connection, until what the peer had sent before is read: a server may
// answer a request that it does not want to read to its end, and close. Node.js would destroy the socket as soon as a
// write fails, and the answer with it.
//
//   peer: 413, close ──> write: ECONNRESET, EPIPE ──> noted, writes are dropped ──> read: the 413, then the end
//
// Reading ends by itself, since the peer is gone. Whoever reads must not take that for a regular end.

import { Socket } from "node:net";

type Done = (error?: Error | null) => void;

export class WriteGuard {
  readonly #socket: Socket;
  readonly #failed: (error: Error) => void;
  /** Of the write that is under way: there is one at a time. */
  #done: Done | undefined;
  #hasFailed = false;

  /** `failed` is called once, for the first write that the peer did not take. */
  constructor(socket: Socket, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#failed = failed;
    socket._write = (chunk, encoding, done) => {
      if (this.#hasFailed) return done();
      this.#done = done;
      Socket.prototype._write.call(socket, chunk, encoding, this.#written);
    };
    socket._writev = (chunks, done) => {
      if (this.#hasFailed) return done();
      this.#done = done;
      Socket.prototype._writev?.call(socket, chunks, this.#written);
    };
  }

  /** The peer takes nothing any more. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whoever has the socket from here on hears of such failures as from any socket. */
  release(): void {
    Reflect.deleteProperty(this.#socket, "_write");
    Reflect.deleteProperty(this.#socket, "_writev");
  }

  readonly #written = (error?: Error | null): void => {
    const done = this.#done;
    this.#done = undefined;
    if (error === undefined || error === null || !isReset(error)) return done?.(error);
    if (!this.#hasFailed) {
      this.#hasFailed = true;
      this.#failed(error);
    }
    done?.();
  };
}

function isReset(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "ECONNRESET");
}
