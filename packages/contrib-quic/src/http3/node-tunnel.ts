// The tunnel to an HTTP/3 server that has granted to leave HTTP on a request's stream (RFC 9220): what its DATA frames
// bring is given to whoever reads the tunnel, and what is written to it is sent in DATA frames.

import type { Duplex } from "node:stream";
import { StreamTunnel, type TunnelWire } from "@hemi/internal";
import type { RequestStream } from "./request-stream.ts";
import type { StreamOutput } from "./stream-output.ts";

/** The stream that it runs on, and its connection. */
export interface TunnelledStream {
  readonly stream: RequestStream;
  readonly output: StreamOutput;
  /** Runs what may find an error of the connection, which then ends. */
  guarded(run: () => void): void;
  /** Something was written. */
  written(): void;
  /** Settles when more may be written. */
  drained(): Promise<void>;
  /** The stream is over, or not wanted any more. */
  over(): void;
}

export class Http3NodeTunnel implements TunnelWire {
  /** For who has the tunnel. */
  readonly duplex: Duplex;
  readonly #on: TunnelledStream;
  /** Who waits for more to come. */
  #reader: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(on: TunnelledStream) {
    this.#on = on;
    this.duplex = new StreamTunnel(this);
  }

  /** Something has come. Throws the errors of the connection. */
  arrived(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const piece = this.#on.stream.takePiece();
    if (piece === undefined && !this.#on.stream.isWhole) return;
    this.#reader = undefined;
    reader.resolve(piece);
    if (piece === undefined) this.#settle();
  }

  /** The stream, or its connection, is gone. */
  broken(why: Error): void {
    this.#reader?.reject(why);
    this.#reader = undefined;
    this.duplex.destroy(why);
  }

  // ---- what its stream asks for ----

  readContent(): Promise<Uint8Array | undefined> {
    const reader = Promise.withResolvers<Uint8Array | undefined>();
    this.#reader = reader;
    this.#on.guarded(() => this.arrived());
    return reader.promise;
  }

  sendContent(piece: Uint8Array): boolean {
    this.#on.output.writeData(piece);
    this.#on.written();
    return !this.#on.output.isBlocked;
  }

  writable(): Promise<void> {
    return this.#on.drained();
  }

  endContent(): void {
    this.#on.output.endMessage(true);
    this.#on.written();
    this.#settle();
  }

  cancel(): void {
    this.#on.over();
  }

  /** Both sides have ended. */
  #settle(): void {
    if (this.#on.stream.isWhole && this.#on.output.hasEnded) this.#on.over();
  }
}
