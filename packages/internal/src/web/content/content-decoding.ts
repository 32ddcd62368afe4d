// Takes the content-encoding off a request's content, as it streams (RFC 9110 8.4).

import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { HemiError } from "../../errors/hemi-error.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import { GzipFraming } from "./gzip-framing.ts";
import type { ContentFilter, PushPiece } from "./filter.ts";

/** The codings that can be taken off, as `accept-encoding` names them. `deflate` is the zlib format; in responses, what is sent without it is read, too. */
export const contentCodings = ["gzip", "deflate", "br", "zstd"] as const;

/** A coding of content that can be taken off. */
export type ContentCoding = (typeof contentCodings)[number];

/** The value of a `content-encoding` field: a coding, "identity" for none, `undefined` for all that cannot be taken off, such as two of them. */
export function parseContentCoding(value: string | undefined): ContentCoding | "identity" | undefined {
  const name = value?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "identity";
  // RFC 9110 8.4.1.3: who receives x-gzip takes it for gzip.
  return name === "x-gzip" ? "gzip" : contentCodings.find((coding) => coding === name);
}

/** Bounds of the decoding of content. */
export interface DecodingOptions {
  /** Bytes that one encoded byte may decode to, on average. Content that decodes to 64 KiB or less may have any ratio. Default: 100. */
  readonly maxRatio?: number;
  /**
   * Whose content it is. That of a request is read strictly, since another reader could take something else from it; its faults are ExchanErrors. That of a
   * response is read as browsers do: `deflate` may be raw (RFC 9110 8.4.1.2), and what stands behind the end of gzip, deflate or Brotli is ignored; its
   * faults are HemiErrors, which are not this client's doing. Default: "request".
   */
  readonly whose?: "request" | "response";
  /** The prop that `maxRatio` comes from, for messages. Default: "maxContentRatio". */
  readonly ratioProp?: string;
}

/**
 * Decodes what is pushed. How much comes of it is the taker's to bound; here only the ratio is. Throws HEMI_CONTENT_TOO_LARGE when the ratio
 * is passed, and HEMI_CONTENT_BROKEN for what is not of this coding, ends early, or, in a request, has something behind its end. Behind a member of gzip
 * and a frame of zstd another one may stand; of zstd, HEMI_CONTENT_TOO_LARGE is also thrown for more than 1000 frames that have less than
 * 1 KiB on average.
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
  /** Of gzip in a response, whose body then goes to the decoder. */
  readonly #framing: GzipFraming | undefined;
  /** `undefined` until the first byte tells which one it takes. */
  #decoder: Decoder | undefined;
  /** One for each stretch of content that the one before has left alone. */
  #decoders = 1;
  /** Encoded bytes pushed so far. */
  #taken = 0;
  /** Decoded bytes handed on so far. */
  #made = 0;

  constructor(coding: ContentCoding, { maxRatio, whose, ratioProp }: Required<DecodingOptions>) {
    this.#whose = whose;
    this.#ratioProp = ratioProp;
    this.#coding = coding;
    this.#maxRatio = maxRatio;
    if (coding === "gzip" && whose === "response") this.#framing = new GzipFraming();
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    const [firstByte] = piece;
    if (firstByte === undefined) return;
    this.#taken += piece.length;
    let left = piece;
    for (;;) {
      left = this.#withoutFraming(left);
      if (left.length === 0) return;
      const decoder = (this.#decoder ??= new Decoder(this.#formatOf(firstByte)));
      decoder.write(left);
      await this.#handOn(decoder, next, ({ isTaken }) => isTaken);
      const { leftAlone } = decoder;
      // The streams of Node.js go on with the next member of gzip by themselves, but not with the next frame of zstd, or one that is
      // to be skipped (RFC 8878 3), nor with what stands between the deflate of two members.
      if (leftAlone === 0 || (this.#coding !== "zstd" && this.#framing === undefined)) return;
      left = left.subarray(left.length - leftAlone);
      if (++this.#decoders > freeFrames && this.#decoders * minFrameSize > this.#taken) throw this.#scattered();
      decoder.close();
      this.#decoder = undefined;
      this.#framing?.endBody();
    }
  }

  #withoutFraming(bytes: Uint8Array): Uint8Array {
    const framing = this.#framing;
    if (framing === undefined || framing.isInBody) return bytes;
    try {
      return framing.skip(bytes);
    } catch (error) {
      throw this.#broken(error instanceof Error ? error.message : String(error));
    }
  }

  /** The low half of the first byte is 8 in the zlib format (RFC 1950 2.2); in raw deflate that would be a stored block with a bit set that nobody sets. */
  #formatOf(firstByte: number): keyof typeof streams {
    if (this.#framing !== undefined) return "raw deflate";
    return this.#coding === "deflate" && this.#whose === "response" && (firstByte & 0x0f) !== 8
      ? "raw deflate"
      : this.#coding;
  }

  async end(next: PushPiece): Promise<void> {
    // Nothing encoded is nothing decoded: a sender with nothing to say may name a coding all the same.
    if (this.#taken === 0) return;
    const decoder = this.#decoder;
    if (decoder !== undefined) {
      decoder.end();
      await this.#handOn(decoder, next, ({ hasEnded }) => hasEnded);
    }
    if (this.#framing?.isComplete === false) throw this.#broken("unexpected end of file");
    if (decoder === undefined) return;
    // Two readers could differ there.
    if (decoder.leftAlone > 0 && this.#whose === "request") throw this.#broken("something stands behind its end");
  }

  close(): void {
    this.#decoder?.close();
  }

  /** Hands on what the decoder has made, one piece after the other, until it is done. */
  async #handOn(decoder: Decoder, next: PushPiece, isDone: (decoder: Decoder) => boolean): Promise<void> {
    for (;;) {
      if (decoder.error !== undefined) throw this.#broken(decoder.error.message);
      const piece = decoder.read();
      if (piece !== undefined) {
        this.#made += piece.length;
        this.#framing?.add(piece);
        if (this.#made > freeSize && this.#made > this.#taken * this.#maxRatio) throw this.#bomb();
        await next(piece);
      } else if (isDone(decoder)) return;
      else await decoder.news();
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

  #scattered(): HemiError {
    return this.#fault(
      "HEMI_CONTENT_TOO_LARGE",
      `has more than ${freeFrames} frames of ${this.#coding} that have less than ${minFrameSize} bytes on average`,
    );
  }

  #fault(code: "HEMI_CONTENT_BROKEN" | "HEMI_CONTENT_TOO_LARGE", reason: string): HemiError {
    const message = `the content of the ${this.#whose} ${reason}`;
    return this.#whose === "request" ? new ExchanError(code, message) : new HemiError(code, message);
  }
}

/** One of Node.js, with what it has told. */
class Decoder {
  readonly #stream: Transform & { readonly bytesWritten: number };
  #written = 0;
  /** What was written last has been decoded, or left alone. */
  isTaken = true;
  hasEnded = false;
  error: Error | undefined;
  /** Called when there is something new. */
  #wake: (() => void) | undefined;

  constructor(format: keyof typeof streams) {
    const wake = (): void => this.#wake?.();
    this.#stream = streams[format]()
      .on("readable", wake)
      .on("end", () => {
        this.hasEnded = true;
        wake();
      })
      .on("error", (error) => {
        this.error = error;
        wake();
      });
  }

  write(piece: Uint8Array): void {
    this.#written += piece.length;
    this.isTaken = false;
    this.#stream.write(piece, (error) => {
      // That of an error comes as its event, too.
      this.isTaken = error === undefined || error === null;
      this.#wake?.();
    });
  }

  end(): void {
    this.#stream.end();
  }

  /** `undefined`: there is nothing more as yet. */
  read(): Uint8Array | undefined {
    const piece: unknown = this.#stream.read();
    return piece instanceof Uint8Array ? piece : undefined;
  }

  /** Bytes written that stand behind the end of the encoded content, once all is taken. */
  get leftAlone(): number {
    return this.#written - this.#stream.bytesWritten;
  }

  news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  close(): void {
    this.#stream.destroy();
  }
}

/** So much, in bytes, may come of content in any ratio: empty tables and long runs of zeros are no attack while they are small. */
const freeSize = 64 * 1024;

/**
 * So many frames may be of any size; from then on they must have so many bytes on average. Each takes a new stream of Node.js, 45 µs, and
 * has no more than 9 bytes where nothing is in it: a megabyte of those would take 5 s.
 */
const freeFrames = 1000;
const minFrameSize = 1024;

const streams = {
  gzip: () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  "raw deflate": () => zlib.createInflateRaw(),
  br: () => zlib.createBrotliDecompress(),
  zstd: () => zlib.createZstdDecompress(),
};
