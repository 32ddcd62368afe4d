// What content goes through between a handlet and the wire.

import { isPromiseLike } from "@hemi/common";
import { ExchanError } from "../../http/exchan-error.ts";
import { faultAt, type Fault } from "../dispatch/fault.ts";

/** Hands a piece on. A promise: wait for it before the next piece, the taker is slow. */
export type PushPiece = (piece: Uint8Array) => void | Promise<void>;

/** Made by a reviser for one exchan. Its methods are never called side by side. What they throw breaks the content off. */
export interface ContentFilter {
  /** Takes a piece and hands on, by `next`, as many as it likes; it may keep bytes back. An ExchanError that it throws gives its status. */
  push(piece: Uint8Array, next: PushPiece): void | Promise<void>;
  /** The sender wants what it sent so far to arrive: hand on what was kept back, if that can be done. */
  flush?(next: PushPiece): void | Promise<void>;
  /** There is no more: hand on the rest. */
  end?(next: PushPiece): void | Promise<void>;
  /**
   * For a response whose sender has the content in one piece: returns what becomes of it, and is asked instead of `push` and `end`, for HEAD
   * too, so that it has the same `content-length`. Such an answer is sent in one write. `undefined`: push it after all.
   */
  whole?(content: Uint8Array): Uint8Array | undefined;
  /**
   * What a response has in place of the content, if that is known without it, as from a cache: a file then is not even read. Those bytes never
   * change. Content that comes piece by piece is pushed all the same.
   */
  readonly instead?: Uint8Array | undefined;
  /** In ms: `flush` is called so long after the first piece of a response that has not been flushed. Default: never. */
  readonly flushAfter?: number | undefined;
  /** It is over, well or not: its end has come, or that of the exchan. Called once, and not before a method that runs has come back. */
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
  /** Who waits: the part, whose path may change. */
  readonly by: object;
  /** Looks at the final head, and returns a filter for the content, or nothing. */
  readonly hook: () => ContentFilter | undefined;
}

/** Filters in a row, the first nearest to the sender, with a taker at the end. What a filter throws comes out as a Fault with its path, unless it is an ExchanError. */
export class FilterChain {
  readonly #filters: readonly PlacedFilter[];
  /** The first filter that content still goes through: those before it had it whole. */
  #first = 0;
  readonly #taker: PushPiece;
  readonly #closeFailed: (fault: Fault) => void;
  /** `#pushers[i]` hands a piece to filter i; the last one to the taker. Made when a piece is pushed: content that passes whole needs none. */
  #pushers: readonly PushPiece[] | undefined;
  /** Steps under way, those within others counted too. */
  #running = 0;
  /** What the taker threw: no filter's fault, though it comes by their way. */
  #takerError: unknown;
  #closeError: Fault | undefined;
  #isOver = false;
  #isClosed = false;

  /** `closeFailed` is told what a filter throws when it is closed: nobody else may be there any more. */
  constructor(filters: readonly PlacedFilter[], taker: PushPiece, closeFailed: (fault: Fault) => void) {
    this.#filters = filters;
    this.#taker = taker;
    this.#closeFailed = closeFailed;
  }

  /** In ms; the shortest that a filter wants. */
  get flushAfter(): number | undefined {
    const waits = this.#filters.flatMap(({ filter }) => filter.flushAfter ?? []);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** What a filter knows to stand in place of the content. It has passed the filters up to that one: hand it to `passWhole`. */
  takeInstead(): Uint8Array | undefined {
    const at = this.#filters.findLastIndex(({ filter }) => filter.instead !== undefined);
    if (at < 0) return undefined;
    this.#first = at + 1;
    return this.#filters[at]?.filter.instead;
  }

  /** Takes the whole content through the filters that can have it at once, up to the first that cannot: see `isPassed`. */
  passWhole(content: Uint8Array): Uint8Array {
    let whole = content;
    for (; this.#first < this.#filters.length; this.#first++) {
      const placed = this.#filters[this.#first];
      try {
        const revised = placed?.filter.whole?.(whole);
        if (revised === undefined) break;
        whole = revised;
      } catch (error) {
        throw faultAt(placed?.path ?? "", error);
      }
    }
    return whole;
  }

  /** There is no filter left that `push` would hand content to. */
  get isPassed(): boolean {
    return this.#first === this.#filters.length;
  }

  /** Throws HEMI_PEER_GONE, as the two below do, when it has been closed. */
  push(piece: Uint8Array): void | Promise<void> {
    this.#assertOpen();
    return this.#pusherOf(this.#first)(piece);
  }

  async flush(): Promise<void> {
    for (const [i, { filter, path }] of this.#filters.entries()) {
      if (i < this.#first) continue;
      this.#assertOpen();
      await this.#run(path, () => filter.flush?.(this.#nextOf(i)));
    }
  }

  async end(): Promise<void> {
    for (const [i, { filter, path }] of this.#filters.entries()) {
      if (i < this.#first) continue;
      this.#assertOpen();
      await this.#run(path, () => filter.end?.(this.#nextOf(i)));
    }
    this.close();
    if (this.#closeError !== undefined) throw this.#closeError;
  }

  /** Closes the filters, when what runs has come back. Never throws; twice is harmless. */
  close(): void {
    this.#isOver = true;
    if (this.#isClosed || this.#running > 0) return;
    this.#isClosed = true;
    for (const { filter, path } of this.#filters) {
      try {
        const closed: unknown = filter.close?.();
        if (isPromiseLike(closed)) closed.then(undefined, (error: unknown) => this.#noteClose(path, error));
      } catch (error) {
        this.#noteClose(path, error);
      }
    }
  }

  #noteClose(path: string, error: unknown): void {
    const fault = faultAt(path, error);
    this.#closeError ??= fault;
    this.#closeFailed(fault);
  }

  /** Runs a step of the filter of that path, or of the taker. */
  #run(path: string | undefined, step: () => void | Promise<void>): void | Promise<void> {
    this.#running++;
    let rest: void | Promise<void>;
    try {
      rest = step();
    } catch (error) {
      this.#ran();
      this.#failed(path, error);
    }
    if (rest === undefined) return this.#ran();
    return rest.then(
      () => this.#ran(),
      (error: unknown) => {
        this.#ran();
        this.#failed(path, error);
      },
    );
  }

  #ran(): void {
    this.#running--;
    if (this.#isOver) this.close();
  }

  #assertOpen(): void {
    if (!this.#isOver) return;
    throw new ExchanError("HEMI_PEER_GONE", "the exchange ended before its content had gone through its filters");
  }

  #failed(path: string | undefined, error: unknown): never {
    if (path === undefined) this.#takerError = error;
    // What the peer or the clock did is no filter's fault, whichever of them noticed.
    const isFault = path !== undefined && error !== this.#takerError && !(error instanceof ExchanError);
    throw isFault ? faultAt(path, error) : error;
  }

  #nextOf(index: number): PushPiece {
    return this.#pusherOf(index + 1);
  }

  #pusherOf(index: number): PushPiece {
    this.#pushers ??= [
      ...this.#filters.map(
        ({ filter, path }, i): PushPiece =>
          (piece) =>
            this.#run(path, () => filter.push(piece, this.#nextOf(i))),
      ),
      (piece) => this.#run(undefined, () => this.#taker(piece)),
    ];
    return this.#pushers[index] ?? noTaker;
  }
}

function noTaker(): void {}
