// The socket of a client's connection.
//
// The runtime reads each piece of input into 64 KiB of new memory, cuts it to size, and passes it through a stream: one
// third of the cost of a small request. Dialled sockets avoid this with the option `onread`. Servers have no such
// option, so accepted connections are moved to a socket that has it.

import { Buffer } from "node:buffer";
import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";
import { Duplex } from "node:stream";
import { sharedBuffer } from "./shared-buffer.ts";

/** Receives a piece of input. The bytes are valid until it returns. */
export type DirectReader = (bytes: Buffer) => void;

export class AcceptedSocket extends Socket {
  #reader: DirectReader | undefined;

  private constructor(handle: object) {
    const onread: OnReadOpts = { buffer: sharedBuffer, callback: (size) => this.#received(size) };
    const options: SocketConstructorOpts = { allowHalfOpen: true, onread };
    super(Object.assign(options, { handle }));
  }

  /**
   * Takes over an accepted socket. Returns `accepted` itself if it has already read something, or if the runtime does
   * not support this.
   */
  static takeOver(accepted: Socket): Socket {
    const handle: unknown = Reflect.get(accepted, "_handle");
    if (accepted.bytesRead > 0 || accepted.readableEnded) return accepted;
    if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return accepted;
    Reflect.set(accepted, "_handle", null);
    // The server no longer counts it; gates do.
    accepted.destroy();
    return new AcceptedSocket(handle);
  }

  /** `reader` receives all further input. Data that is already in the stream arrives first, as `data` events. */
  readDirectly(reader: DirectReader): void {
    this.#reader = reader;
  }

  /** Further input goes through the stream again. */
  readAsStream(): void {
    this.#reader = undefined;
    this.read(0);
  }

  /** In stream mode, reading continues until the stream's buffer is full, or the input ends. */
  override pause(): this {
    if (this.#reader !== undefined) return super.pause();
    Duplex.prototype.pause.call(this);
    return this;
  }

  /** False: the stream's buffer is full; the stream resumes by itself. */
  #received(size: number): boolean {
    const bytes = sharedBuffer.subarray(0, size);
    if (this.#reader === undefined) return this.push(Buffer.from(bytes));
    this.#reader(bytes);
    return true;
  }
}
