// The end of a client's connection. A socket that is closed with unread bytes resets its connection, and the reset may
// destroy an answer on its way. So our side is shut first, and what the client still sends is read and dropped for a
// while (RFC 9112 9.6).
//
//   our side is shut ── all is written ──> reading and dropping ── the client shuts its side, or a limit ──> destroyed
//          └ writeTimeout ──> destroyed                            (lingerTimeout without a byte, maxLingerTime in all)

import type { Socket } from "node:net";
import type { CodecServer } from "./codec-server.ts";
import type { ConnTimeouts } from "./conn-timeouts.ts";

export class LingeringClose {
  readonly #socket: Socket;
  readonly #server: CodecServer;
  readonly #timeouts: ConnTimeouts;
  #hasPeerEnded: boolean;
  /** On the monotonic clock, in ms. */
  #endsAt = 0;

  /**
   * Begins it. All of the answers has been written to the socket. `timeouts` tells its owner when a limit is reached.
   */
  constructor(socket: Socket, server: CodecServer, timeouts: ConnTimeouts, hasPeerEnded: boolean) {
    this.#socket = socket;
    this.#server = server;
    this.#timeouts = timeouts;
    this.#hasPeerEnded = hasPeerEnded;
    // What the client sends meanwhile must not count as progress of what it is sent.
    socket.pause();
    timeouts.waitFor("write");
    socket.end(() => this.#written());
  }

  /** The client has sent more. */
  received(): void {
    if (this.#server.monotonic() > this.#endsAt) return void this.#socket.destroy();
    this.#timeouts.hasMoved = true;
    this.#timeouts.waitFor("linger");
  }

  /** The client has shut its side. */
  peerEnded(): void {
    this.#hasPeerEnded = true;
    if (this.#socket.writableFinished) this.#socket.destroy();
  }

  #written(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (this.#hasPeerEnded) return void socket.destroy();
    this.#endsAt = this.#server.monotonic() + this.#server.settings.maxLingerTime;
    socket.resume();
    this.#timeouts.waitFor("linger");
  }
}
