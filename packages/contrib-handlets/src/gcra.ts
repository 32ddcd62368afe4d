// The generic cell rate algorithm, keyed: who asks more often than at a steady rate, with some in advance, is told to
// wait.
//
//   arrival     |        each request moves it on by one interval; it is never before now
//   now ────────┼───────> time
//               └── may be at most `burst` intervals ahead of now: else the request does not conform
//
// It is that of ATM (ITU-T I.371), and needs one number for each key.

import { LRUCache } from "lru-cache";

export interface GcraRate {
  /** Between two requests of the steady rate, in ms. */
  readonly interval: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

export interface GcraVerdict {
  readonly conforms: boolean;
  /** How many more may come at once. */
  readonly remaining: number;
  /** In ms, until the next one conforms if this one did not; else until all of the burst may come again. */
  readonly wait: number;
}

export class GcraTable {
  rate: GcraRate;
  /** Arrivals by key, in ms. */
  readonly #arrivals: LRUCache<string, number>;
  #now = 0;

  /**
   * Of more than `maxKeys`, those that came longest ago are forgotten; `forgot` is called for each that was not due to
   * be.
   */
  constructor({ rate, maxKeys, forgot }: { rate: GcraRate; maxKeys: number; forgot: () => void }) {
    this.rate = rate;
    this.#arrivals = new LRUCache({
      max: maxKeys,
      noDisposeOnSet: true,
      dispose: (arrival, _key, reason) => {
        // One whose arrival has passed is as good as one that never came.
        if (reason === "evict" && arrival > this.#now) forgot();
      },
    });
  }

  /** Counts a request at `now`, in ms of a clock that only goes on. One that does not conform does not count. */
  take(key: string, now: number): GcraVerdict {
    this.#now = now;
    const { interval, burst } = this.rate;
    const arrival = Math.max(this.#arrivals.get(key) ?? now, now);
    const short = arrival + interval - now - burst * interval;
    // Intervals are seldom whole: what is short by rounding only is not short.
    const conforms = short <= interval * tolerance;
    const moved = conforms ? arrival + interval : arrival;
    this.#arrivals.set(key, moved);
    const ahead = moved - now;
    const remaining = Math.max(0, Math.floor(burst - ahead / interval + tolerance));
    return { conforms, remaining, wait: conforms ? ahead : short };
  }

  /** Counts requests that were let through elsewhere. They use up the burst, and nothing beyond it. */
  charge(key: string, count: number, now: number): void {
    this.#now = now;
    const { interval, burst } = this.rate;
    const arrival = Math.max(this.#arrivals.get(key) ?? now, now);
    this.#arrivals.set(key, Math.max(arrival, Math.min(arrival + count * interval, now + burst * interval)));
  }

  clear(): void {
    this.#arrivals.clear();
  }
}

/** In intervals. */
const tolerance = 1e-6;
