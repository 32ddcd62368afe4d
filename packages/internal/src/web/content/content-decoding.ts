// Removes the content-encoding of request content while it streams (RFC 9110 8.4).

import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import { zlibTurns } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import { GzipFraming } from "./gzip-framing.ts";
import type { ContentFilter, PushPiece } from "./filter.ts";

/**
 * The supported codings, with their names in `accept-encoding`. `deflate` is the zlib format; in responses, raw deflate
 * is accepted, too.
 */
export const contentCodings = ["gzip", "deflate", "br", "zstd"] as const;

/** A supported content coding. */
export type ContentCoding = (typeof contentCodings)[number];

/**
 * Parses a `content-encoding` field: a coding, "identity" for none, `undefined` for an unsupported value, such as two
 * codings.
 */
export function parseContentCoding(value: string | undefined): ContentCoding | "identity" | undefined {
  const name = value?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "identity";
  // RFC 9110 8.4.1.3: x-gzip is equivalent to gzip.
  return name === "x-gzip" ? "gzip" : contentCodings.find((coding) => coding === name);
}

/** Limits of decoding. */
export interface DecodingOptions {
  /**
   * The maximum average number of decoded bytes for each encoded byte. Content that decodes to 64 KiB or less may have
   * any ratio. Default: 100.
   */
  readonly maxRatio?: number;
  /**
   * Whose content it is. Request content is decoded strictly, because other decoders could interpret it differently;
   * its errors are ExchanErrors. Response content is decoded like in browsers: `deflate` may be raw (RFC 9110 8.4.1.2),
   * and data after the end of gzip, deflate or Brotli is ignored; its errors are HemiErrors, because the client did not
   * cause them. Default: "request".
   */
  readonly whose?: "request" | "response";
  /** The prop that sets `maxRatio`, for messages. Default: "maxContentRatio". */
  readonly ratioProp?: string;
}

/**
 * Decodes pushed content. The caller limits the decoded size; this filter limits only the ratio. Throws
 * HEMI_CONTENT_TOO_LARGE if the ratio is exceeded. Throws HEMI_CONTENT_BROKEN if the content is not in this coding,
 * ends early, or (in a request) has data after its end. A gzip member or a zstd frame may be followed by another one.
 * For zstd, also throws HEMI_CONTENT_TOO_LARGE for more than 1000 frames with less than 1 KiB on average.
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
  /** For gzip in a response: removes the framing, so that the decoder receives raw deflate. */
  readonly #framing: GzipFraming | undefined;
  /** `undefined` until the first byte determines the format. */
  #decoder: Decoder | undefined;
  /** One decoder for each part of the content that the previous one did not consume. */
  #decoders = 1;
  /** Encoded bytes pushed so far. */
  #taken = 0;
  /** Decoded bytes passed on so far. */
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
      await this.#work(decoder, next, () => decoder.write(left));
      const { leftAlone } = decoder;
      // Node.js streams continue with the next gzip member, but not with the next zstd frame or a skippable frame (RFC
      // 8878 3), nor with the framing between two members.
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

  /**
   * The low half of the first byte is 8 in the zlib format (RFC 1950 2.2). In raw deflate that would be a stored block
   * with an unused bit set.
   */
  #formatOf(firstByte: number): keyof typeof streams {
    if (this.#framing !== undefined) return "raw deflate";
    return this.#coding === "deflate" && this.#whose === "response" && (firstByte & 0x0f) !== 8
      ? "raw deflate"
      : this.#coding;
  }

  async end(next: PushPiece): Promise<void> {
    // Empty content is valid: a sender without content may still name a coding.
    if (this.#taken === 0) return;
    const decoder = this.#decoder;
    if (decoder !== undefined) {
      await this.#work(decoder, next, () => decoder.end());
    }
    if (this.#framing?.isComplete === false) throw this.#broken("unexpected end of file");
    if (decoder === undefined) return;
    // Two decoders could differ here.
    if (decoder.leftAlone > 0 && this.#whose === "request") throw this.#broken("something stands behind its end");
  }

  close(): void {
    this.#decoder?.close();
  }

  /** Gives the decoder work, and passes on its output piece by piece, until it is done. */
  async #work(decoder: Decoder, next: PushPiece, begin: () => void): Promise<void> {
    let step = (): Promise<Uint8Array | undefined> => {
      begin();
      step = () => decoder.step();
      return step();
    };
    do {
      // What it has made before is passed on after its turn: who takes it may need one, too, and may wait for a peer.
      const piece = await zlibTurns.run(() => step());
      if (decoder.error !== undefined) throw this.#broken(decoder.error.message);
      if (piece === undefined) continue;
      this.#made += piece.length;
      this.#framing?.add(piece);
      if (this.#made > freeSize && this.#made > this.#taken * this.#maxRatio) throw this.#bomb();
      await next(piece);
    } while (decoder.hasMore);
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

/** A Node.js stream and its events. It works on one piece of output at a time, and rests until that is taken. */
class Decoder {
  readonly #stream: Transform & { readonly bytesWritten: number };
  #written = 0;
  /** Whether there is input that is neither decoded nor left alone, or an end that is not reached. */
  #isWorking = false;
  error: Error | undefined;
  /** Called when there is news. */
  #wake: (() => void) | undefined;

  constructor(format: keyof typeof streams) {
    const wake = (): void => this.#wake?.();
    this.#stream = streams[format]()
      .on("readable", wake)
      .on("end", () => this.#rest())
      .on("error", (error) => this.#rest(error))
      .on("close", () => this.#rest());
  }

  write(piece: Uint8Array): void {
    this.#written += piece.length;
    this.#isWorking = true;
    this.#stream.write(piece, (error) => {
      // An error is also emitted as an event.
      if (error === undefined || error === null) this.#rest();
    });
  }

  end(): void {
    this.#isWorking = true;
    this.#stream.end();
  }

  /** Resolves with the output that it has; `undefined`: none yet. Meanwhile, it makes the next piece. */
  async step(): Promise<Uint8Array | undefined> {
    const piece: unknown = this.#stream.read();
    if (this.#isWorking) await new Promise<void>((resolve) => (this.#wake = resolve));
    return piece instanceof Uint8Array ? piece : undefined;
  }

  /** Whether there will be more output of what it was given. At the end of a frame, what it has may be left to take. */
  get hasMore(): boolean {
    return this.#isWorking || (this.#stream.readableLength > 0 && !this.#stream.destroyed);
  }

  /** Written bytes after the end of the encoded content, once everything is consumed. */
  get leftAlone(): number {
    return this.#written - this.#stream.bytesWritten;
  }

  close(): void {
    this.#stream.destroy();
  }

  #rest(error?: Error): void {
    this.error ??= error;
    this.#isWorking = false;
    this.#wake?.();
  }
}

/**
 * Content that decodes to this size, in bytes, may have any ratio: empty tables and long runs of zeros are harmless
 * while they are small.
 */
const freeSize = 64 * 1024;

/**
 * This many frames may have any size; beyond that, frames must have a minimum average size. Each frame needs a new
 * Node.js stream (45 µs), and an empty frame has only 9 bytes: a megabyte of them would take 5 s.
 */
const freeFrames = 1000;
const minFrameSize = 1024;

/** In bytes, of a piece; with one of them the stream is full, and rests. */
const options = { chunkSize: 16 * 1024, readableHighWaterMark: 1 };

const streams = {
  gzip: () => zlib.createGunzip(options),
  deflate: () => zlib.createInflate(options),
  "raw deflate": () => zlib.createInflateRaw(options),
  br: () => zlib.createBrotliDecompress(options),
  zstd: () => zlib.createZstdDecompress(options),
};
