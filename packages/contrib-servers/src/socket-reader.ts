// Reads the start of a connection piece by piece, each with a bound, before its bytes go elsewhere.

import type { Socket } from "node:net";

/** The client has left, or sent what it may not: the connection is to be closed without more ado. */
export class BadInput extends Error {}

export class SocketReader {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: (() => void) | undefined;

  /** The socket is paused. It is read only when bytes are asked for. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#received).on("end", this.#ended).on("close", this.#ended);
    socket.pause();
  }

  /** The next bytes. Rejects with BadInput if the client leaves before. */
  async exactly(size: number): Promise<Buffer> {
    while (this.#bytes.length < size) await this.#more();
    const taken = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return taken;
  }

  async uint8(): Promise<number> {
    return (await this.exactly(1)).readUInt8();
  }

  async uint16(): Promise<number> {
    return (await this.exactly(2)).readUInt16BE();
  }

  /** Up to the delimiter, which is left out. Rejects with BadInput if it is not among the next `max` bytes. */
  async until(delimiter: string, max: number): Promise<Buffer> {
    for (;;) {
      const at = this.#bytes.indexOf(delimiter, 0, "latin1");
      if (at >= 0 && at <= max) {
        const taken = this.#bytes.subarray(0, at);
        this.#bytes = this.#bytes.subarray(at + delimiter.length);
        return taken;
      }
      if (this.#bytes.length > max) throw new BadInput(`no end within ${max} bytes`);
      await this.#more();
    }
  }

  /** The socket is paused again, with all that was not read put back. */
  release(): Socket {
    const socket = this.#socket;
    socket.off("data", this.#received).off("end", this.#ended).off("close", this.#ended);
    socket.pause();
    if (this.#bytes.length > 0 && !this.#hasEnded) socket.unshift(this.#bytes);
    return socket;
  }

  /** As `release`. What cannot be put back, because the client has shut its side already, is written to `there`. */
  releaseTo(there: Socket): Socket {
    if (this.#hasEnded && this.#bytes.length > 0) there.write(this.#bytes);
    return this.release();
  }

  async #more(): Promise<void> {
    if (this.#hasEnded) throw new BadInput("the client has left");
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#socket.resume();
    });
    this.#socket.pause();
  }

  readonly #received = (bytes: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    this.#wake?.();
  };

  readonly #ended = (): void => {
    this.#hasEnded = true;
    this.#wake?.();
  };
}
