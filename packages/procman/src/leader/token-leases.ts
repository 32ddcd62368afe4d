// The tokens of rate limits that one worker holds in advance. If it is killed, they go back into their buckets.

import { RecentMap, type TokenRate } from "@hemi/common";
import type { MemoryRateLimits, TokenDemand, TokenGrant } from "@hemi/hemi/base";

interface Lease {
  readonly rate: TokenRate;
  readonly tokens: number;
}

/** Of one worker. */
export class TokenLeases {
  readonly #limits: MemoryRateLimits;
  readonly #leases = new RecentMap<string, Lease>(maxLeases);

  constructor(limits: MemoryRateLimits) {
    this.#limits = limits;
  }

  /** Takes tokens for the worker. */
  take(key: string, demand: TokenDemand): TokenGrant {
    const grant = this.#limits.takeNow(key, demand);
    const tokens = (demand.leased ?? 0) + grant.granted;
    if (tokens > 0) this.#leases.set(key, { rate: demand.rate, tokens });
    else this.#leases.delete(key);
    return grant;
  }

  /**
   * The worker has ended. What it has used since it asked last, for less than 100 ms in most cases, goes back, too:
   * nobody is refused for tokens that nobody has used.
   */
  giveBack(): void {
    for (const [key, { rate, tokens }] of this.#leases.latest(maxLeases)) {
      this.#limits.takeNow(key, { rate, spent: -tokens, wanted: 0 });
    }
    this.#leases.clear();
  }
}

/** Not a prop: so many keys of a worker are settled with the leader at once. */
const maxLeases = 10_000;
