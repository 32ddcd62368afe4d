// Content that is pulled through filters, which push: one piece at a time changes hands.

import { ExchanError } from "../../http/exchan-error.ts";
import type { Fault } from "../dispatch/fault.ts";
import { FilterChain, type PlacedFilter } from "./filter.ts";

export class FilteredContent {
  readonly #chain: FilterChain;
  readonly #maxSize: number;
  readonly #tooLarge: () => Error;
  /** In bytes, handed over so far. */
  #size = 0;
  /** The piece that the last filter has made, until the reader takes it. */
  #piece: Uint8Array | undefined;
  /** Lets the filters go on. */
  #taken: (() => void) | undefined;
  /** Tells the reader that there is a piece, or that the step is over. */
  #wake: (() => void) | undefined;
  #isClosed = false;

  /** What comes out is bounded as what goes in is: a few bytes can unfold to gigabytes. Above `maxSize` bytes it throws what `tooLarge` makes. */
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

  /** What comes of these pieces. Closes the filters at the end, and when it is left. */
  async *read(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const piece of pieces) yield* this.#made(() => this.#chain.push(piece));
      yield* this.#made(() => this.#chain.end());
    } finally {
      this.close();
    }
  }

  /** Whoever reads: it is over. Twice is harmless. */
  close(): void {
    this.#isClosed = true;
    this.#chain.close();
    // A filter may wait with a piece that nobody will take.
    this.#taken?.();
  }

  /** The pieces that come of one step through the filters, as it makes them. */
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

  /** Settles when the piece has been taken. */
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
