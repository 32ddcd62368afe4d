// Content filters between a handlet and the wire.

import { isPromiseLike } from "@hemi/common";
import { ExchanError } from "../../http/exchan-error.ts";
import { faultAt, type Fault } from "../dispatch/fault.ts";

/** Passes a piece on. If it returns a promise, wait for it before the next piece: the receiver is slow. */
export type PushPiece = (piece: Uint8Array) => void | Promise<void>;

/** Made by a reviser for one exchan. Its methods are never called concurrently. An error aborts the content. */
export interface ContentFilter {
  /**
   * Receives a piece, and passes on any number of pieces with `next`; it may buffer data. An ExchanError that it throws
   * determines the status.
   */
  push(piece: Uint8Array, next: PushPiece): void | Promise<void>;
  /** The sender wants its data so far to arrive: pass on buffered data if possible. */
  flush?(next: PushPiece): void | Promise<void>;
  /** The content is complete: pass on the rest. */
  end?(next: PushPiece): void | Promise<void>;
  /**
   * For a response whose content is in one piece: returns the transformed content. Called instead of `push` and `end`,
   * also for HEAD, so that both have the same `content-length`. Such a response is sent in one write. `undefined`: use
   * `push` instead.
   */
  whole?(content: Uint8Array): Uint8Array | undefined;
  /**
   * The transformed content, if it is known without the original, as from a cache: a file is then not even read. These
   * bytes must never change. Content that arrives in pieces is pushed all the same.
   */
  readonly instead?: Uint8Array | undefined;
  /** In milliseconds: `flush` is called this long after the first unflushed piece of a response. Default: never. */
  readonly flushAfter?: number | undefined;
  /** It passes all content on as it is, and changes its timing only: the size of the content stays known. */
  readonly keepsContent?: boolean;
  /** The content has ended, or the exchan has. Called once, and never while another method runs. */
  close?(): void;
}

/** The owner of a filter, and its position. */
export interface FilterPlace {
  /** 0 to 31: 0 is nearest to the wire. Of equal ranks, the first is nearer. */
  readonly rank: number;
  /** The component's path, for the log. */
  readonly path: string;
}

/** A filter for a request's content. */
export interface PlacedFilter extends FilterPlace {
  readonly filter: ContentFilter;
}

/** Inspects a response's final head, and may install a filter for the content. */
export interface FilterHook extends FilterPlace {
  /** The part that owns it, whose path may change. */
  readonly by: object;
  /** Inspects the final head, and returns a filter for the content, or nothing. */
  readonly hook: () => ContentFilter | undefined;
}

/**
 * A chain of filters, the first nearest to the sender, with a receiver at the end. An error of a filter is wrapped in a
 * Fault with its path, unless it is an ExchanError.
 */
export class FilterChain {
  readonly #filters: readonly PlacedFilter[];
  /** The first filter that still receives content: earlier ones had the whole content. */
  #first = 0;
  readonly #taker: PushPiece;
  readonly #closeFailed: (fault: Fault) => void;
  /**
   * `#pushers[i]` passes a piece to filter i; the last one to the receiver. Created at the first push: whole content
   * needs none.
   */
  #pushers: readonly PushPiece[] | undefined;
  /** The number of running steps, including nested ones. */
  #running = 0;
  /** An error of the receiver: it passes through the filters, but is not their fault. */
  #takerError: unknown;
  #closeError: Fault | undefined;
  #isOver = false;
  #isClosed = false;

  /** `closeFailed` receives errors of `close`, because there may be no other caller. */
  constructor(filters: readonly PlacedFilter[], taker: PushPiece, closeFailed: (fault: Fault) => void) {
    this.#filters = filters;
    this.#taker = taker;
    this.#closeFailed = closeFailed;
  }

  /** In milliseconds; the shortest time of all filters. */
  get flushAfter(): number | undefined {
    const waits = this.#filters.flatMap(({ filter }) => filter.flushAfter ?? []);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /**
   * The known replacement of the content by a filter. It has passed the filters up to that one: give it to `passWhole`.
   */
  takeInstead(): Uint8Array | undefined {
    const at = this.#filters.findLastIndex(({ filter }) => filter.instead !== undefined);
    if (at < 0) return undefined;
    this.#first = at + 1;
    return this.#filters[at]?.filter.instead;
  }

  /** Passes the whole content through filters that support it, up to the first that does not: see `isPassed`. */
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

  /** Whether no filter is left for `push`. */
  get isPassed(): boolean {
    return this.#first === this.#filters.length;
  }

  /** Throws HEMI_PEER_GONE after it was closed, like the two methods below. */
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

  /** Closes the filters after running methods have returned. Never throws. Calling it twice is harmless. */
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

  /** Runs a step of the filter with that path, or of the receiver. */
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
    // Errors caused by the peer or by a timeout are not the fault of a filter.
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
