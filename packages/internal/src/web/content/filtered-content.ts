// Pulls content through filters, which push: one piece at a time.

import { ExchanError } from "../../http/exchan-error.ts";
import type { Fault } from "../dispatch/fault.ts";
import { FilterChain, type PlacedFilter } from "./filter.ts";

export class FilteredContent {
  readonly #chain: FilterChain;
  readonly #maxSize: number;
  readonly #tooLarge: () => Error;
  /** In bytes, so far. */
  #size = 0;
  /** The piece that the last filter has made, until the reader takes it. */
  #piece: Uint8Array | undefined;
  /** Resumes the filters. */
  #taken: (() => void) | undefined;
  /** Notifies the reader of a piece, or of the end of the step. */
  #wake: (() => void) | undefined;
  #isClosed = false;

  /**
   * The output is limited like the input: a few bytes can decode to gigabytes. Above `maxSize` bytes, it throws the
   * error of `tooLarge`.
   */
  constructor(
    filters: readonly PlacedFilter[],
    maxSize: number,
    tooLarge: () => Error,
    closeFailed: (fault: Fault) => void,
  ) {
    this.#maxSize = maxSize;
    this.#tooLarge = tooLarge;
    this.#chain = new FilterChain(filters, (piece) => this.#take(piece), closeFailed);
  }

  /** The filtered pieces. Closes the filters at the end, also if the reader leaves. */
  async *read(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const piece of pieces) yield* this.#made(() => this.#chain.push(piece));
      yield* this.#made(() => this.#chain.end());
    } finally {
      this.close();
    }
  }

  /** Ends reading. Calling it twice is harmless. */
  close(): void {
    this.#isClosed = true;
    this.#chain.close();
    // A filter may wait with a piece that nobody will take.
    this.#taken?.();
  }

  /** The pieces that one step through the filters produces. */
  async *#made(step: () => void | Promise<void>): AsyncGenerator<Uint8Array, void, void> {
    const state = { isOver: false };
    const run = Promise.resolve()
      .then(step)
      .finally(() => {
        state.isOver = true;
        this.#wake?.();
      });
    run.catch(() => {});
    for (;;) {
      const piece = this.#piece;
      if (piece !== undefined) {
        this.#piece = undefined;
        yield piece;
        this.#taken?.();
      } else if (state.isOver) break;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    await run;
  }

  /** Settles when the reader has taken the piece. */
  #take(piece: Uint8Array): Promise<void> {
    if (this.#isClosed) {
      throw new ExchanError("HEMI_PEER_GONE", "nobody reads the content of the request any more");
    }
    this.#size += piece.length;
    if (this.#size > this.#maxSize) throw this.#tooLarge();
    this.#piece = piece;
    this.#wake?.();
    return new Promise((resolve) => (this.#taken = resolve));
  }
}
