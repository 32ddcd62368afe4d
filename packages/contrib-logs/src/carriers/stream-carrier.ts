// Carries messages over a stream: TCP, with or without TLS, or a UNIX socket. It connects when there is something to
// send, and stays connected. A receiver that has closed the connection is noticed before the next messages are sent.

import { addAbortListener } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import type { Carrier } from "./carrier.ts";

export interface StreamCarrierOptions {
  readonly to: NetConnectOpts;
  /** Of each new connection; `undefined`: it is one without TLS. Default: all are. */
  readonly tls?: () => ConnectionOptions | undefined;
  /** What a connection begins with. Default: nothing. */
  readonly preface?: Buffer;
  /** A message as the stream has it. */
  readonly frame: (message: Buffer) => Buffer;
}

export class StreamCarrier implements Carrier {
  readonly #options: StreamCarrierOptions;
  /** `undefined`: it is not connected. */
  #socket: Socket | undefined;
  /** Settles when nothing is being sent. Never rejects. */
  #sent: Promise<void> = Promise.resolve();

  constructor(options: StreamCarrierOptions) {
    this.#options = options;
  }

  async send(messages: readonly Buffer[], timeout: number, signal: AbortSignal): Promise<void> {
    const { preface, frame } = this.#options;
    const isNew = this.#socket === undefined;
    const socket = (this.#socket ??= this.#connect());
    const frames = messages.map(frame);
    if (isNew && preface !== undefined) frames.unshift(preface);
    const sending = written(socket, Buffer.concat(frames), timeout, signal);
    this.#sent = sending.catch(() => {});
    await sending;
  }

  renew(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    // What is being sent is sent to its end: cut off, it would come a second time over the next connection.
    if (socket !== undefined) void this.#sent.then(() => ended(socket));
  }

  async close(): Promise<void> {
    if (this.#socket !== undefined) await ended(this.#socket);
  }

  #connect(): Socket {
    const { to } = this.#options;
    const tls = this.#options.tls?.();
    // What is written before the handshake is over waits for it.
    const socket = tls === undefined ? connect(to) : connectTls({ ...to, ...tls });
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

/** Resolves when what was written is on its way, and the connection is closed. */
async function ended(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => socket.destroy(), closeTimeout);
  socket.once("close", resolve);
  socket.end();
  await promise;
  clearTimeout(timer);
}

/**
 * Resolves when the system has the bytes. They are written in pieces: a slow receiver may take as long as it likes for
 * all of them, and one that takes nothing for `timeout` milliseconds is cut off.
 */
async function written(socket: Socket, bytes: Buffer, timeout: number, signal: AbortSignal): Promise<void> {
  using _ = addAbortListener(signal, () => socket.destroy(new Error("it was too slow at the end")));
  for (let at = 0; at < bytes.length; at += pieceSize) {
    await pieceWritten(socket, bytes.subarray(at, at + pieceSize), timeout);
  }
}

function pieceWritten(socket: Socket, bytes: Buffer, timeout: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => socket.destroy(new Error(`it took nothing for ${timeout} ms`)), timeout);
  socket.write(bytes, (error) => {
    clearTimeout(timer);
    if (error === null || error === undefined) resolve();
    else reject(socket.errored ?? error);
  });
  return promise;
}

/** In bytes. */
const pieceSize = 16_384;
/** In milliseconds: how long the last bytes may take. */
const closeTimeout = 1000;
