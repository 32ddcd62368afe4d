// What content goes through between a handlet and the wire.

/** Hands a piece on. A promise: wait for it before the next piece, the taker is slow. */
export type PushPiece = (piece: Uint8Array) => void | Promise<void>;

/** Made by a reviser for one exchan. Its methods are never called side by side. */
export interface ContentFilter {
  /** Takes a piece and hands on, by `next`, as many as it likes; it may keep bytes back. */
  push(piece: Uint8Array, next: PushPiece): void | Promise<void>;
  /** The sender wants what it sent so far to arrive: hand on what was kept back, if that can be done. */
  flush?(next: PushPiece): void | Promise<void>;
  /** There is no more: hand on the rest. */
  end?(next: PushPiece): void | Promise<void>;
  /** It is over, well or not. Called once. */
  close?(): void;
}

/** Filters in a row, the first nearest to the sender, with a taker at the end. */
export class FilterChain {
  readonly #filters: readonly ContentFilter[];
  /** `#pushers[i]` hands a piece to filter i; the last one to the taker. */
  readonly #pushers: PushPiece[];
  #isClosed = false;

  constructor(filters: readonly ContentFilter[], taker: PushPiece) {
    this.#filters = filters;
    this.#pushers = [taker];
    for (const filter of filters.toReversed()) {
      const next = this.#pushers[0] ?? taker;
      this.#pushers.unshift((piece) => filter.push(piece, next));
    }
  }

  push(piece: Uint8Array): void | Promise<void> {
    return this.#pushers[0]?.(piece);
  }

  async flush(): Promise<void> {
    for (const [i, filter] of this.#filters.entries()) await filter.flush?.(this.#nextOf(i));
  }

  async end(): Promise<void> {
    for (const [i, filter] of this.#filters.entries()) await filter.end?.(this.#nextOf(i));
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const filter of this.#filters) filter.close?.();
  }

  #nextOf(index: number): PushPiece {
    return this.#pushers[index + 1] ?? noTaker;
  }
}

/** Something that waits to look at a head once it is final, and may put a filter on the content. */
export interface FilterHook {
  /** 0 to 31: 0 is nearest to the wire. */
  readonly rank: number;
  readonly hook: () => ContentFilter | undefined;
}

function noTaker(): void {}
