// Cuts the bytes of a stream into frames (RFC 9114 7.1): type, length, payload.
//
//   push(bytes) ──> next() ──> a whole frame, or a piece of one, as the rules say

import { readVarint, varintSize } from "@hemi/common";

/** How a frame is read. */
export type FrameTreatment = "whole" | "pieces" | "skipped" | /* all of the stream */ "rest";

/** Who says how frames are read. */
export interface FrameRules {
  /** Called for each frame when its type and length are known. May throw. */
  treat(type: number, size: number): FrameTreatment;
}

/** A frame, or a piece of one. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export class FrameReader {
  readonly #rules: FrameRules;
  /** What was pushed, and has been read up to `#at`. */
  #bytes: Buffer = nothing;
  #at = 0;
  #type = -1;
  #treatment: FrameTreatment = "skipped";
  /** Of the payload, in bytes. */
  #left = 0;
  /** The payload of a frame that is read whole, and has come in part, up to `#filled`. */
  #whole: Buffer | undefined;
  #filled = 0;

  constructor(rules: FrameRules) {
    this.#rules = rules;
  }

  /** A frame has begun and is not complete: the stream may not end here. */
  get isWithinFrame(): boolean {
    return this.#type >= 0 || this.#isPending;
  }

  /** How much of the payload of the frame has not been read, in bytes. */
  get left(): number {
    return this.#left;
  }

  /** Bytes that came by the stream; they must stay as they are. */
  push(bytes: Buffer): void {
    this.#bytes = this.#isPending ? Buffer.concat([this.#bytes.subarray(this.#at), bytes]) : bytes;
    this.#at = 0;
  }

  /** The next frame or piece. `undefined`: more bytes have to come. */
  next(): Frame | undefined {
    const frame = this.#next();
    // What has been read is kept no longer: a stream may be silent for as long as its connection lasts.
    if (frame === undefined && !this.#isPending) this.#drop();
    return frame;
  }

  #drop(): void {
    this.#bytes = nothing;
    this.#at = 0;
  }

  #next(): Frame | undefined {
    while (this.#type >= 0 || this.#readHead()) {
      if (this.#treatment === "whole") return this.#nextWhole();
      if (this.#treatment === "rest") return this.#nextRest();
      if (this.#left > 0 && !this.#isPending) return undefined;
      const type = this.#type;
      const payload = this.#take(this.#left);
      if (this.#left === 0) this.#type = -1;
      if (this.#treatment === "pieces" && payload.length > 0) return { type, payload };
    }
    return undefined;
  }

  #nextWhole(): Frame | undefined {
    const type = this.#type;
    if (this.#whole === undefined && this.#bytes.length - this.#at < this.#left) {
      this.#whole = Buffer.allocUnsafeSlow(this.#left);
      this.#filled = 0;
    }
    const piece = this.#take(this.#left);
    if (this.#whole !== undefined) this.#filled += piece.copy(this.#whole, this.#filled);
    if (this.#left > 0) return undefined;
    const payload = this.#whole ?? piece;
    this.#whole = undefined;
    this.#type = -1;
    return { type, payload };
  }

  #nextRest(): Frame {
    const payload = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return { type: this.#type, payload };
  }

  /** Bytes have come that were not read. */
  get #isPending(): boolean {
    return this.#at < this.#bytes.length;
  }

  #readHead(): boolean {
    const type = readVarint(this.#bytes, this.#at);
    if (type < 0) return false;
    const sizeAt = this.#at + this.#sizeOfVarintAt(this.#at);
    const size = readVarint(this.#bytes, sizeAt);
    if (size < 0) return false;
    // If it throws, the frame has not begun: nobody has agreed to its length.
    this.#treatment = this.#rules.treat(type, size);
    this.#at = sizeAt + this.#sizeOfVarintAt(sizeAt);
    this.#type = type;
    this.#left = size;
    return true;
  }

  #sizeOfVarintAt(at: number): number {
    return varintSize(this.#bytes[at] ?? 0);
  }

  #take(most: number): Buffer {
    const start = this.#at;
    this.#at = Math.min(start + most, this.#bytes.length);
    this.#left -= this.#at - start;
    return this.#bytes.subarray(start, this.#at);
  }
}

const nothing = Buffer.alloc(0);
