// Takes the content-encoding off a request's content, as it streams (RFC 9110 8.4).

import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { HemiError } from "../errors/hemi-error.ts";
import { ExchanError } from "./exchan-error.ts";
import type { ContentFilter, PushPiece } from "./filter.ts";

/** The codings that can be taken off, as `accept-encoding` names them. `deflate` is the zlib format, and nothing but it. */
export const contentCodings = ["gzip", "deflate", "br", "zstd"] as const;

export type ContentCoding = (typeof contentCodings)[number];

/** The value of a `content-encoding` field: a coding, "identity" for none, `undefined` for all that cannot be taken off, such as two of them. */
export function parseContentCoding(value: string | undefined): ContentCoding | "identity" | undefined {
  const name = value?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "identity";
  // RFC 9110 8.4.1.3: who receives x-gzip takes it for gzip.
  return name === "x-gzip" ? "gzip" : contentCodings.find((coding) => coding === name);
}

export interface DecodingOptions {
  /** Bytes that one encoded byte may decode to, on average. Content that decodes to 64 KiB or less may have any ratio. Default: 100. */
  readonly maxRatio?: number;
  /** Whose content it is: that of a request is told by an ExchanError, that of a response by a HemiError, which is not this client's doing. Default: "request". */
  readonly whose?: "request" | "response";
  /** The prop that `maxRatio` comes from, for messages. Default: "maxContentRatio". */
  readonly ratioProp?: string;
}

/**
 * Decodes what is pushed. How much comes of it is the taker's to bound; here only the ratio is. Throws HEMI_CONTENT_TOO_LARGE when the ratio
 * is passed, and HEMI_CONTENT_BROKEN for what is not of this coding, ends early, or has something behind its end.
 */
export function decodingFilter(
  coding: ContentCoding,
  { maxRatio = 100, whose = "request", ratioProp = "maxContentRatio" }: DecodingOptions = {},
): ContentFilter {
  return new DecodingFilter(coding, { maxRatio, whose, ratioProp });
}

class DecodingFilter implements ContentFilter {
  readonly #coding: ContentCoding;
  readonly #maxRatio: number;
  readonly #whose: "request" | "response";
  readonly #ratioProp: string;
  readonly #decoder: Transform & { readonly bytesWritten: number };
  /** Encoded bytes pushed so far. */
  #taken = 0;
  /** Decoded bytes handed on so far. */
  #made = 0;
  #error: Error | undefined;
  #hasEnded = false;
  /** Called when the decoder has something to say. */
  #wake: (() => void) | undefined;

  constructor(coding: ContentCoding, { maxRatio, whose, ratioProp }: Required<DecodingOptions>) {
    this.#whose = whose;
    this.#ratioProp = ratioProp;
    this.#coding = coding;
    this.#maxRatio = maxRatio;
    const wake = () => this.#wake?.();
    this.#decoder = decoders[coding]()
      .on("readable", wake)
      .on("end", () => {
        this.#hasEnded = true;
        wake();
      })
      .on("error", (error) => {
        this.#error = error;
        wake();
      });
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    this.#taken += piece.length;
    let isTaken = false;
    this.#decoder.write(piece, () => {
      isTaken = true;
      this.#wake?.();
    });
    await this.#handOn(next, () => isTaken);
  }

  async end(next: PushPiece): Promise<void> {
    // Nothing encoded is nothing decoded: a sender with nothing to say may name a coding all the same.
    if (this.#taken === 0) return;
    this.#decoder.end();
    await this.#handOn(next, () => this.#hasEnded);
    // The decoder leaves alone what stands behind the end of the encoded content: two readers could differ there.
    if (this.#decoder.bytesWritten < this.#taken) throw this.#broken("something stands behind its end");
  }

  close(): void {
    this.#decoder.destroy();
  }

  /** Hands on what the decoder has made, one piece after the other, until it is done. */
  async #handOn(next: PushPiece, isDone: () => boolean): Promise<void> {
    for (;;) {
      if (this.#error !== undefined) throw this.#broken(this.#error.message);
      const piece: unknown = this.#decoder.read();
      if (piece instanceof Uint8Array) {
        this.#made += piece.length;
        if (this.#made > freeSize && this.#made > this.#taken * this.#maxRatio) throw this.#bomb();
        await next(piece);
      } else if (isDone()) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #broken(reason: string): HemiError {
    return this.#fault("HEMI_CONTENT_BROKEN", `is no right ${this.#coding}: ${reason}`);
  }

  #bomb(): HemiError {
    return this.#fault(
      "HEMI_CONTENT_TOO_LARGE",
      `decodes to more than ${this.#maxRatio} times its size, which is ${this.#ratioProp}`,
    );
  }

  #fault(code: "HEMI_CONTENT_BROKEN" | "HEMI_CONTENT_TOO_LARGE", reason: string): HemiError {
    const message = `the content of the ${this.#whose} ${reason}`;
    return this.#whose === "request" ? new ExchanError(code, message) : new HemiError(code, message);
  }
}

/** So much, in bytes, may come of content in any ratio: empty tables and long runs of zeros are no attack while they are small. */
const freeSize = 64 * 1024;

const decoders = {
  gzip: () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
};
