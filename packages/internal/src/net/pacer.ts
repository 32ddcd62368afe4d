// Limits how many bytes move in a second.

/** Decides how fast bytes may move. One may be shared by several connections. */
export interface Pacer {
  /** These bytes have moved. Returns how long no more should, in milliseconds; 0: they may at once. */
  take(size: number): number;
}

/** Decides for what cannot wait, such as datagrams. One may be shared by several connections. */
export interface Policer {
  /** Whether these bytes may move now. If so, they have moved. */
  admits(size: number): boolean;
}

/**
 * A token bucket, kept as the time at which it is full again (the generic cell rate algorithm): a tenth of a second may
 * move at once.
 */
export class RatePacer implements Pacer, Policer {
  readonly #rate: () => number;
  readonly #now: () => number;
  #fullAt = 0;

  /** `rate`: bytes a second, read at each use; 0: unlimited. `now`: monotonic, in milliseconds. */
  constructor(rate: () => number, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  take(size: number): number {
    const rate = this.#rate();
    if (rate === 0) return 0;
    const now = this.#now();
    this.#fullAt = Math.max(this.#fullAt, now - burst) + (size / rate) * 1000;
    return Math.max(0, this.#fullAt - now);
  }

  admits(size: number): boolean {
    const now = this.#now();
    if (this.#rate() > 0 && this.#fullAt > now) return false;
    this.take(size);
    return true;
  }
}

/** In milliseconds. */
const burst = 100;
