// Carries messages over a stream: TCP, or a UNIX socket. It connects when there is something to send, and stays
// connected. A receiver that has closed the connection is noticed before the next messages are sent.

import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { Carrier } from "./carrier.ts";

export interface StreamCarrierOptions {
  readonly to: NetConnectOpts;
  /** What a connection begins with. Default: nothing. */
  readonly preface?: Buffer;
  /** A message as the stream has it. */
  readonly frame: (message: Buffer) => Buffer;
}

export class StreamCarrier implements Carrier {
  readonly #options: StreamCarrierOptions;
  /** `undefined`: it is not connected. */
  #socket: Socket | undefined;

  constructor(options: StreamCarrierOptions) {
    this.#options = options;
  }

  async send(messages: readonly Buffer[], timeout: number): Promise<void> {
    const { preface, frame } = this.#options;
    const isNew = this.#socket === undefined;
    const socket = (this.#socket ??= this.#connect());
    const frames = messages.map(frame);
    if (isNew && preface !== undefined) frames.unshift(preface);
    await written(socket, Buffer.concat(frames), timeout);
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => socket.destroy(), closeTimeout);
    socket.once("close", resolve);
    socket.end();
    await promise;
    clearTimeout(timer);
  }

  #connect(): Socket {
    const socket = connect(this.#options.to);
    // Who waits for a write gets the error from there.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    // A receiver that ends its side takes no more; what it says is read, so that this is noticed.
    socket.on("end", () => socket.destroy());
    socket.resume();
    return socket;
  }
}

/** Resolves when the system has the bytes. In time, or the connection is closed. */
function written(socket: Socket, bytes: Buffer, timeout: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => socket.destroy(new Error(`it took nothing for ${timeout} ms`)), timeout);
  socket.write(bytes, (error) => {
    clearTimeout(timer);
    if (error === null || error === undefined) resolve();
    else reject(socket.errored ?? error);
  });
  return promise;
}

/** In milliseconds: how long the last bytes may take. */
const closeTimeout = 1000;
