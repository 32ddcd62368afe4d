// What a stream carries once it has left HTTP (RFC 9113 8.5, RFC 8441, RFC 9220): bytes, both ways.

import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

/** The stream that a tunnel runs on. */
export interface TunnelWire {
  /** The next piece from the peer, `undefined` at its end. Rejects if the stream breaks. One call at a time. */
  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Sends a piece, which must not change afterwards. False: await `writable()` before the next one. */
  sendContent(piece: Uint8Array): boolean;
  /** Resolves when more may be sent. May reject if the stream breaks. */
  writable(): Promise<void>;
  /** Ends our direction; the peer may continue to send. `StreamTunnel` passes no trailers. */
  endContent(trailerList: readonly string[]): void;
  /** Ends it both ways, at once. */
  cancel(): void;
}

/** A tunnel over a stream of HTTP/2 or HTTP/3. */
export class StreamTunnel extends Duplex {
  readonly #wire: TunnelWire;

  constructor(wire: TunnelWire) {
    super({ allowHalfOpen: true });
    this.#wire = wire;
  }

  override _read(): void {
    const piece = this.#wire.readContent();
    if (piece instanceof Promise) piece.then(this.#came, this.#failed);
    else this.#came(piece);
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (this.#wire.sendContent(piece)) done();
    else this.#wire.writable().then(() => done(), done);
  }

  /** What is written together, such as the head and the payload of a WebSocket frame, shares a frame. */
  override _writev(writes: readonly { readonly chunk: Uint8Array }[], done: (error?: Error) => void): void {
    this._write(Buffer.concat(writes.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: () => void): void {
    this.#wire.endContent([]);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.cancel();
    done(error);
  }

  readonly #came = (piece: Uint8Array | undefined): void => {
    this.push(piece ?? null);
  };

  readonly #failed = (error: Error): void => {
    this.destroy(error);
  };
}
