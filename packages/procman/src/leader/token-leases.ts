// The tokens of rate limits that one worker holds in advance. If it is killed, they go back into their buckets.

import { RecentMap, type TokenRate } from "@hemi/common";
import type { TokenGrant } from "@hemi/hemi/base";
import type { KeyedDemand } from "../channel/calls.ts";

interface Lease {
  readonly rate: TokenRate;
  readonly tokens: number;
}

/** Of one worker. */
export class TokenLeases {
  readonly #takeTokens: (demands: readonly KeyedDemand[]) => Promise<readonly TokenGrant[]>;
  readonly #leases = new RecentMap<string, Lease>(maxLeases);
  #isEnded = false;

  /** `takeTokens`: from the buckets that all share. */
  constructor(takeTokens: (demands: readonly KeyedDemand[]) => Promise<readonly TokenGrant[]>) {
    this.#takeTokens = takeTokens;
  }

  /** Takes tokens for the worker. */
  async take(demands: readonly KeyedDemand[]): Promise<readonly TokenGrant[]> {
    const grants = await this.#takeTokens(demands);
    for (const [i, { key, demand }] of demands.entries()) {
      const tokens = (demand.leased ?? 0) + (grants[i]?.granted ?? 0);
      if (tokens > 0) this.#leases.set(key, { rate: demand.rate, tokens });
      else this.#leases.delete(key);
    }
    if (this.#isEnded) this.#giveBack();
    return grants;
  }

  /**
   * The worker has ended. What it has used since it asked last, for less than 100 ms in most cases, goes back, too:
   * nobody is refused for tokens that nobody has used.
   */
  end(): void {
    this.#isEnded = true;
    this.#giveBack();
  }

  #giveBack(): void {
    const demands = Array.from(this.#leases.latest(maxLeases), ([key, { rate, tokens }]): KeyedDemand => {
      return { key, demand: { rate, spent: -tokens, wanted: 0 } };
    });
    this.#leases.clear();
    if (demands.length > 0) void this.#takeTokens(demands);
  }
}

/** Not a prop: so many keys of a worker are settled with the leader at once. */
const maxLeases = 10_000;
