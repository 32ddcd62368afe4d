// Cuts the bytes of a stream into frames (RFC 9114 7.1): type, length, payload.
//
//   push(bytes) ──> rest ── next() ──> a whole frame, or a piece of one, as the rules say

import { readVarint, varintSize } from "@hemi/common";

/** How a frame is read. Rules give it for each frame when its type and length are known; they may throw. */
export type FrameTreatment = "whole" | "pieces" | "skipped" | /* all of the stream */ "rest";

/** A frame, or a piece of one. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

export class FrameReader {
  readonly #treat: (type: number, size: number) => FrameTreatment;
  /** What was pushed and not yet read. */
  #rest: Buffer = nothing;
  #type = -1;
  #treatment: FrameTreatment = "skipped";
  /** Of the payload, in bytes. */
  #left = 0;
  /** The payload of a frame that is read whole, and has come in part, up to `#filled`. */
  #whole: Buffer | undefined;
  #filled = 0;

  constructor(treat: (type: number, size: number) => FrameTreatment) {
    this.#treat = treat;
  }

  /** A frame has begun and is not complete: the stream may not end here. */
  get isWithinFrame(): boolean {
    return this.#type >= 0 || this.#rest.length > 0;
  }

  /** How much of the payload of the frame has not been read, in bytes. */
  get left(): number {
    return this.#left;
  }

  /** Bytes that came by the stream; they must stay as they are. */
  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** The next frame or piece. `undefined`: more bytes have to come. */
  next(): Frame | undefined {
    while (this.#type >= 0 || this.#readHead()) {
      if (this.#treatment === "whole") return this.#nextWhole();
      if (this.#treatment === "rest") return this.#nextRest();
      if (this.#left > 0 && this.#rest.length === 0) return undefined;
      const type = this.#type;
      const payload = this.#take(this.#left);
      if (this.#left === 0) this.#type = -1;
      if (this.#treatment === "pieces" && payload.length > 0) return { type, payload };
    }
    return undefined;
  }

  #nextWhole(): Frame | undefined {
    const type = this.#type;
    if (this.#whole === undefined && this.#rest.length < this.#left) {
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
    const payload = this.#rest;
    this.#rest = nothing;
    return { type: this.#type, payload };
  }

  #readHead(): boolean {
    const type = readVarint(this.#rest, 0);
    if (type < 0) return false;
    const at = sizeAt(this.#rest, 0);
    const size = readVarint(this.#rest, at);
    if (size < 0) return false;
    this.#rest = this.#rest.subarray(at + sizeAt(this.#rest, at));
    this.#type = type;
    this.#left = size;
    this.#treatment = this.#treat(type, size);
    return true;
  }

  #take(most: number): Buffer {
    const size = Math.min(most, this.#rest.length);
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    this.#left -= size;
    return taken;
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  return varintSize(bytes[at] ?? 0);
}

const nothing = Buffer.alloc(0);
