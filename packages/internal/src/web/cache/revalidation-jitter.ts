// When a stale response is validated in the background. Responses that were stored together become stale together:
// each of them waits for another time, so that the backend is not asked for all of them at once.
//
//   fresh ──────────────┤ stale, and used while it is validated ───────────────┤
//                       ├── its own delay ──> the next request validates it

import { ageAt, type StoredTimes } from "./rules/reuse.ts";

export class RevalidationJitter {
  /** Another one in each process, so that workers and machines do not ask together either. */
  readonly #salt = Math.floor(Math.random() * 2 ** 32);

  /** Whether a stale response is not to be validated yet. `max`, and `now` since the epoch, in milliseconds. */
  delays(key: string, stored: StoredTimes, max: number, now: number): boolean {
    const limit = Math.min(max, stored.staleWhileRevalidate / 4);
    const staleFor = ageAt(stored, now) - stored.lifetime;
    return staleFor < limit && staleFor < limit * this.#fractionOf(key, stored.storedAt);
  }

  /** From 0 to 1: always the same for one response. FNV-1a with the finalizer of MurmurHash3: keys may be alike. */
  #fractionOf(key: string, storedAt: number): number {
    let hash = this.#salt ^ storedAt;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }
}
