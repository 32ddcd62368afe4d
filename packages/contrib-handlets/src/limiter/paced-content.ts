// Slows the content of a response down, so that all responses to a client together stay within a rate.

import { setTimeout } from "node:timers/promises";
import { type ContentFilter, type Pacer, type PushPiece } from "@hemi/internal";

/**
 * Responses that share a pacer move one slice after the other, in the order in which they ask: if all of them slept for
 * what others have sent, all would send at once when that time is over.
 */
export class PacedTurns {
  readonly #pacer: Pacer;
  #last = Promise.resolve();

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  /** Resolves when so many bytes may move. `isOver`: whether they no longer need to, and so do not count. */
  take(size: number, isOver: () => boolean): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (isOver()) return;
      const wait = this.#pacer.take(0);
      if (wait > 0) await setTimeout(wait, undefined, { ref: false });
      if (!isOver()) this.#pacer.take(size);
    });
    return this.#last;
  }
}

/** Passes the content on as it is, in turn with other responses. */
export class PacedContent implements ContentFilter {
  readonly keepsContent = true;
  readonly #turns: PacedTurns;
  readonly #sliceSize: number;
  readonly #isOver: () => boolean;

  /** `rate`: that of the turns, in bytes a second. `isOver`: whether the response is over, so that none are needed. */
  constructor(turns: PacedTurns, rate: number, isOver: () => boolean) {
    this.#turns = turns;
    this.#sliceSize = Math.min(largestSlice, Math.ceil(rate / slicesInSecond));
    this.#isOver = isOver;
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    for (let at = 0; at < piece.length; at += this.#sliceSize) {
      const slice = piece.subarray(at, at + this.#sliceSize);
      // Also before the first one, for what other responses have sent: or many small ones together had no limit.
      await this.#turns.take(slice.length, this.#isOver);
      // Rejects when the client is gone.
      await next(slice);
    }
  }
}

/** In bytes. */
const largestSlice = 64 * 1024;
const slicesInSecond = 10;
