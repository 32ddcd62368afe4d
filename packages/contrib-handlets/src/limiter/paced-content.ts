// Slows the content of a response down, so that all responses to a client together stay within a rate.

import { setTimeout } from "node:timers/promises";
import { type ContentFilter, type Pacer, type PushPiece } from "@hemi/internal";

/** Passes the content on as it is, at the pace of a pacer, which several responses may share. */
export class PacedContent implements ContentFilter {
  readonly keepsContent = true;
  readonly #pacer: Pacer;
  readonly #sliceSize: number;

  /** `rate`: that of the pacer, in bytes a second. */
  constructor(pacer: Pacer, rate: number) {
    this.#pacer = pacer;
    this.#sliceSize = Math.min(largestSlice, Math.ceil(rate / slicesInSecond));
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    for (let at = 0; at < piece.length; at += this.#sliceSize) {
      // Also before the first one, for what other responses have sent: or many small ones together had no limit.
      const wait = this.#pacer.take(0);
      if (wait > 0) await setTimeout(wait, undefined, { ref: false });
      const slice = piece.subarray(at, at + this.#sliceSize);
      this.#pacer.take(slice.length);
      // Rejects when the client is gone.
      await next(slice);
    }
  }
}

/** In bytes. */
const largestSlice = 64 * 1024;
const slicesInSecond = 10;
