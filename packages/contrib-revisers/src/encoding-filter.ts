// Encodes content with a content coding: in one call if it is small and complete, otherwise piece by piece.

import { Buffer } from "node:buffer";
import { zlibTurns } from "@hemi/common";
import type { ContentFilter, PushPiece } from "@hemi/internal";
import type { Coder, Encoder } from "./coders.ts";

export interface EncodingOptions {
  readonly coder: Coder;
  readonly level: number;
  /** The content made before, from a cache. */
  readonly instead?: Uint8Array | undefined;
  /** Each piece goes on to the client at once, as those of an event stream. */
  readonly isLive: boolean;
  /** In ms; see ContentFilter. */
  readonly flushAfter: number | undefined;
  /** Gets the whole, once it is made. */
  readonly keep?: ((encoded: Buffer) => void) | undefined;
  /** Of an encoded content, in bytes: larger ones are not for `keep`. */
  readonly maxKept: number;
  /** Called once. */
  readonly onClose?: (() => void) | undefined;
}

/**
 * In bytes. A content up to it is coded while all else waits: half a millisecond for a page of 64 KiB by gzip at level
 * 5. Threads cost three times as much CPU as coding 4 KiB does, so that they are for larger ones.
 */
export const maxAtOnce = 64 * 1024;

/** In bytes, of a piece that one turn is taken for: so nobody has the threads for long. */
const maxPiece = 64 * 1024;

export class EncodingFilter implements ContentFilter {
  readonly instead: Uint8Array | undefined;
  readonly flushAfter: number | undefined;
  readonly #options: EncodingOptions;
  #encoder: Encoder | undefined;
  /** What the encoder has failed with, at whatever time. */
  #error: Error | undefined;
  /** Called when the encoder fails while it has work. */
  #fail: ((error: Error) => void) | undefined;
  /** What the encoder has made and nobody has taken. */
  #made: Buffer[] = [];
  #hasUnflushed = false;
  /** For `keep`; `undefined` once it has become too large. */
  #kept: Buffer[] | undefined;
  #keptSize = 0;

  constructor(options: EncodingOptions) {
    this.#options = options;
    this.instead = options.instead;
    this.flushAfter = options.isLive ? undefined : options.flushAfter;
    if (options.keep !== undefined) this.#kept = [];
  }

  whole(content: Uint8Array): Uint8Array | undefined {
    if (content.length > maxAtOnce) return undefined;
    const { coder, level, keep, maxKept } = this.#options;
    const encoded = coder.encode(content, level);
    if (encoded.length <= maxKept) keep?.(encoded);
    return encoded;
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    for (let at = 0; at < piece.length; at += maxPiece) {
      const part = piece.subarray(at, at + maxPiece);
      await this.#step(next, (encoder, done) => encoder.write(part, done));
    }
    this.#hasUnflushed ||= piece.length > 0;
    if (this.#options.isLive) await this.flush(next);
  }

  async flush(next: PushPiece): Promise<void> {
    if (!this.#hasUnflushed) return;
    this.#hasUnflushed = false;
    await this.#step(next, (encoder, done) => encoder.flush(this.#options.coder.flushKind, done));
  }

  async end(next: PushPiece): Promise<void> {
    await this.#step(next, (encoder, done) => encoder.once("end", done).end());
    if (this.#kept !== undefined) this.#options.keep?.(Buffer.concat(this.#kept));
  }

  close(): void {
    this.#encoder?.destroy();
    this.#options.onClose?.();
  }

  /** Lets the encoder work in its turn, and hands on what it made. */
  async #step(next: PushPiece, work: (encoder: Encoder, done: (error?: Error | null) => void) => void): Promise<void> {
    const encoder = (this.#encoder ??= this.#open());
    await zlibTurns.run(
      () =>
        new Promise<void>((resolve, reject) => {
          // What it cannot do ends it: then it may call back no more.
          if (this.#error !== undefined) return reject(this.#error);
          this.#fail = reject;
          work(encoder, (error) => {
            if (error === undefined || error === null) resolve();
            else reject(error);
          });
        }),
    );
    this.#fail = undefined;
    this.#take(encoder);
    const made = this.#made;
    this.#made = [];
    for (const piece of made) {
      this.#collect(piece);
      await next(piece);
    }
  }

  #open(): Encoder {
    const { coder, level } = this.#options;
    const encoder = coder.stream(level);
    encoder.on("readable", () => this.#take(encoder));
    // As long as it lives: an error that nobody listens to would end the process.
    encoder.on("error", (error) => {
      this.#error = error;
      this.#fail?.(error);
    });
    return encoder;
  }

  #take(encoder: Encoder): void {
    const made: unknown = encoder.read();
    if (made instanceof Buffer) this.#made.push(made);
  }

  #collect(piece: Buffer): void {
    if (this.#kept === undefined) return;
    this.#keptSize += piece.length;
    if (this.#keptSize > this.#options.maxKept) this.#kept = undefined;
    else this.#kept.push(piece);
  }
}
