// What content goes through between a handlet and the wire.

import { faultAt, type Fault } from "./fault.ts";

/** Hands a piece on. A promise: wait for it before the next piece, the taker is slow. */
export type PushPiece = (piece: Uint8Array) => void | Promise<void>;

/** Made by a reviser for one exchan. Its methods are never called side by side. What they throw breaks the content off. */
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

/** Who made a filter, and where it stands among others. */
export interface FilterPlace {
  /** 0 to 31: 0 is nearest to the wire. Of equal ones the first is nearer. */
  readonly rank: number;
  /** The component's path, for the log. */
  readonly path: string;
}

/** A filter for a request's content. */
export interface PlacedFilter extends FilterPlace {
  readonly filter: ContentFilter;
}

/** Something that waits to look at a response's head once it is final, and may put a filter on the content. */
export interface FilterHook extends FilterPlace {
  readonly hook: () => ContentFilter | undefined;
}

/** Filters in a row, the first nearest to the sender, with a taker at the end. What a filter throws comes out as a Fault with its path. */
export class FilterChain {
  readonly #filters: readonly PlacedFilter[];
  /** `#pushers[i]` hands a piece to filter i; the last one to the taker. */
  readonly #pushers: PushPiece[] = [];
  /** What the taker threw: no filter's fault, though it comes by their way. */
  #takerError: unknown;
  #closeError: Fault | undefined;
  #isClosed = false;

  constructor(filters: readonly PlacedFilter[], taker: PushPiece) {
    this.#filters = filters;
    this.#pushers = filters.map(
      ({ filter, path }, i) =>
        (piece) =>
          this.#run(path, () => filter.push(piece, this.#nextOf(i))),
    );
    this.#pushers.push((piece) => this.#run(undefined, () => taker(piece)));
  }

  push(piece: Uint8Array): void | Promise<void> {
    return this.#pushers[0]?.(piece);
  }

  async flush(): Promise<void> {
    for (const [i, { filter, path }] of this.#filters.entries()) {
      await this.#run(path, () => filter.flush?.(this.#nextOf(i)));
    }
  }

  async end(): Promise<void> {
    for (const [i, { filter, path }] of this.#filters.entries()) {
      await this.#run(path, () => filter.end?.(this.#nextOf(i)));
    }
    this.close();
    if (this.#closeError !== undefined) throw this.#closeError;
  }

  /** Never throws. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { filter, path } of this.#filters) {
      try {
        filter.close?.();
      } catch (error) {
        this.#closeError ??= faultAt(path, error);
      }
    }
  }

  /** Runs a step of the filter of that path, or of the taker. */
  #run(path: string | undefined, step: () => void | Promise<void>): void | Promise<void> {
    try {
      return step()?.catch((error: unknown) => this.#failed(path, error));
    } catch (error) {
      this.#failed(path, error);
    }
  }

  #failed(path: string | undefined, error: unknown): never {
    if (path === undefined) this.#takerError = error;
    throw path === undefined || error === this.#takerError ? error : faultAt(path, error);
  }

  #nextOf(index: number): PushPiece {
    return this.#pushers[index + 1] ?? noTaker;
  }
}

function noTaker(): void {}
