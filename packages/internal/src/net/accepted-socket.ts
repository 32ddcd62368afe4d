// The socket of a connection that a client has opened.
//
// The runtime reads each piece of a socket's input into 64 KiB of new memory, which it then cuts to size, and takes it through a stream:
// a third of what a small request costs. A socket that is dialled is spared that by its option `onread`. Servers have no such option;
// so what they have accepted is moved to a socket that has it.

import { Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";
import { Duplex } from "node:stream";
import { sharedBuffer } from "./shared-buffer.ts";

/** Gets a piece of the input. The bytes hold until it returns. */
export type DirectReader = (bytes: Buffer) => void;

export class AcceptedSocket extends Socket {
  #reader: DirectReader | undefined;

  private constructor(handle: object) {
    const onread: OnReadOpts = { buffer: sharedBuffer, callback: (size) => this.#received(size) };
    const options: SocketConstructorOpts = { allowHalfOpen: true, onread };
    super(Object.assign(options, { handle }));
  }

  /** Takes over what a server has accepted. Where it has read something already, or the runtime does not allow for it, gives `accepted` itself. */
  static takeOver(accepted: Socket): Socket {
    const handle: unknown = Reflect.get(accepted, "_handle");
    if (accepted.bytesRead > 0 || accepted.readableEnded) return accepted;
    if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return accepted;
    Reflect.set(accepted, "_handle", null);
    // The server counts it no more, and need not: gates do.
    accepted.destroy();
    return new AcceptedSocket(handle);
  }

  /** `reader` gets what comes from now on. What is in the stream already comes by `data` events, before it. */
  readDirectly(reader: DirectReader): void {
    this.#reader = reader;
  }

  /** What comes from now on goes through the stream again. */
  readAsStream(): void {
    this.#reader = undefined;
    this.read(0);
  }

  /** As long as it is a stream, it reads on until that is full, or ends. */
  override pause(): this {
    if (this.#reader !== undefined) return super.pause();
    Duplex.prototype.pause.call(this);
    return this;
  }

  /** False: the stream is full, and goes on by itself. */
  #received(size: number): boolean {
    const bytes = sharedBuffer.subarray(0, size);
    if (this.#reader === undefined) return this.push(Buffer.from(bytes));
    this.#reader(bytes);
    return true;
  }
}
