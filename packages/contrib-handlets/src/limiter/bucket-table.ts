// Token buckets by key, all of one rate, of which a limited number is remembered.

import { takeFromBucket, type BucketTake, type TokenRate } from "@hemi/common";
import { LRUCache } from "lru-cache";

export interface BucketTableOptions {
  readonly rate: TokenRate;
  /** Of more, those that were asked for longest ago are forgotten. */
  readonly maxKeys: number;
  /** Is called for each that is forgotten before its bucket is full. */
  readonly forgot: () => void;
}

export class BucketTable {
  rate: TokenRate;
  /** The states of buckets: arrivals, in ms. */
  readonly #arrivals: LRUCache<string, number>;
  #now = 0;

  constructor({ rate, maxKeys, forgot }: BucketTableOptions) {
    this.rate = rate;
    this.#arrivals = new LRUCache({
      max: maxKeys,
      noDisposeOnSet: true,
      dispose: (arrival, _key, reason) => {
        // A full bucket is as good as one that never was.
        if (reason === "evict" && arrival > this.#now) forgot();
      },
    });
  }

  /** Takes one token, if there is one. `now`: in ms of a clock that only goes on. */
  take(key: string, now: number): BucketTake {
    this.#now = now;
    const taken = takeFromBucket(this.#arrivals.get(key), this.rate, one, now);
    this.#arrivals.set(key, taken.arrival);
    return taken;
  }

  /** The state of a bucket, which stays as it is. */
  look(key: string, now: number): BucketTake {
    return takeFromBucket(this.#arrivals.peek(key), this.rate, nothing, now);
  }

  /** Gives a bucket the state that it has elsewhere. */
  set(key: string, arrival: number, now: number): void {
    this.#now = now;
    this.#arrivals.set(key, arrival);
  }

  clear(): void {
    this.#arrivals.clear();
  }
}

const one = { wanted: 1, spent: 0 };
const nothing = { wanted: 0, spent: 0 };
