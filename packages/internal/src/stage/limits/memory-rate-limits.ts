// A store of rate limits in the memory of one process: that of the leader, and of a program of one process.

import { RecentMap, takeFromBucket } from "@hemi/common";
import type { RateLimitStore, Strike, StrikeCount, TokenDemand, TokenGrant } from "./rate-limit-store.ts";

interface Window {
  readonly since: number;
  readonly strikes: number;
}

/** The clock, and the bound of the memory. */
export interface MemoryRateLimitsOptions {
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** Keys that are remembered at once, of each sort; of more, the least recent is forgotten. Default: 500,000. */
  readonly maxKeys?: number;
}

/** What is remembered, for another process: times are in milliseconds from now, on its clock. */
export interface RateLimitState {
  /** Of token buckets; `arrival`: when the last token that was taken would have come. */
  readonly buckets: readonly { readonly key: string; readonly arrival: number }[];
  /** In which strikes are counted. */
  readonly windows: readonly (Window & { readonly key: string })[];
  /** `end`: when a key may come again. */
  readonly bans: readonly { readonly key: string; readonly end: number }[];
}

/** Answers at once and never fails. */
export class MemoryRateLimits implements RateLimitStore {
  readonly #now: () => number;
  /** The states of buckets: arrivals. */
  readonly #arrivals: RecentMap<string, number>;
  readonly #windows: RecentMap<string, Window>;
  /** When bans end. */
  readonly #bans: RecentMap<string, number>;

  constructor({ now = () => performance.now(), maxKeys = 500_000 }: MemoryRateLimitsOptions = {}) {
    this.#now = now;
    this.#arrivals = new RecentMap(maxKeys);
    this.#windows = new RecentMap(maxKeys);
    this.#bans = new RecentMap(maxKeys);
  }

  takeTokens(key: string, demand: TokenDemand): Promise<TokenGrant> {
    return Promise.resolve(this.takeNow(key, demand));
  }

  strike(key: string, strike: Strike): Promise<StrikeCount> {
    return Promise.resolve(this.strikeNow(key, strike));
  }

  /** `takeTokens` without a promise. */
  takeNow(key: string, { rate, spent, wanted }: TokenDemand): TokenGrant {
    const now = this.#now();
    const bannedFor = this.#bannedFor(key, now);
    const taken = takeFromBucket(this.#arrivals.get(key), rate, { spent, wanted: bannedFor > 0 ? 0 : wanted }, now);
    if (taken.fullAfter > 0) this.#arrivals.set(key, taken.arrival);
    else this.#arrivals.delete(key);
    const { granted, remaining, retryAfter, fullAfter } = taken;
    return { granted, remaining, retryAfter, fullAfter, bannedFor };
  }

  /** `strike` without a promise. */
  strikeNow(key: string, { count, limit, window, ban }: Strike): StrikeCount {
    const now = this.#now();
    const bannedFor = this.#bannedFor(key, now);
    if (bannedFor > 0) return { strikes: 0, bannedFor };
    const known = this.#windows.get(key);
    const { since, strikes: before } =
      known !== undefined && now < known.since + window ? known : { since: now, strikes: 0 };
    const strikes = before + count;
    if (strikes < limit) {
      this.#windows.set(key, { since, strikes });
      return { strikes, bannedFor: 0 };
    }
    this.#windows.delete(key);
    this.#bans.set(key, now + ban);
    return { strikes: 0, bannedFor: ban };
  }

  /**
   * All that is remembered, those first that were used longest ago, in parts with at most `max` keys of each sort. What
   * changes while they are read may be in none of them.
   */
  *states(max: number): IterableIterator<RateLimitState> {
    const buckets = this.#arrivals.latest(Infinity);
    const windows = this.#windows.latest(Infinity);
    const bans = this.#bans.latest(Infinity);
    for (;;) {
      const now = this.#now();
      const state: RateLimitState = {
        buckets: nextOf(buckets, max).map(([key, arrival]) => ({ key, arrival: arrival - now })),
        windows: nextOf(windows, max).map(([key, { since, strikes }]) => ({ key, since: since - now, strikes })),
        bans: nextOf(bans, max).map(([key, end]) => ({ key, end: end - now })),
      };
      if (state.buckets.length + state.windows.length + state.bans.length === 0) return;
      yield state;
    }
  }

  /** Goes on with what another process remembered, in place of what is known of the same keys. */
  restore({ buckets, windows, bans }: RateLimitState): void {
    const now = this.#now();
    for (const { key, arrival } of buckets) this.#arrivals.set(key, now + arrival);
    for (const { key, since, strikes } of windows) this.#windows.set(key, { since: now + since, strikes });
    for (const { key, end } of bans) this.#bans.set(key, now + end);
  }

  #bannedFor(key: string, now: number): number {
    const end = this.#bans.get(key);
    if (end === undefined) return 0;
    if (end > now) return end - now;
    this.#bans.delete(key);
    return 0;
  }
}

function nextOf<Value>(values: Iterator<Value>, max: number): Value[] {
  const taken: Value[] = [];
  while (taken.length < max) {
    const next = values.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
