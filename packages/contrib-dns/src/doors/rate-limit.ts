// How many replies a client's network may get over UDP, where addresses can be forged: each reply to a forged address
// floods someone else.

import { clientOf } from "@hemi/internal";
import { LRUCache } from "lru-cache";

/** What to do with a reply. `truncated`: a short one, by which an honest client comes over TCP. */
export type ReplyVerdict = "send" | "truncated" | "drop";

/** Read at each use, because live props change it. */
export interface RateLimitSettings {
  /** 0: unlimited. */
  readonly repliesPerSecond: number;
}

interface Network {
  /** When as many as fit into a second may come again at once: the generic cell rate algorithm. */
  freeAt: number;
  /** The number of replies beyond the limit. */
  beyond: number;
}

export class RateLimit {
  readonly #settings: RateLimitSettings;
  readonly #now: () => number;
  readonly #networks = new LRUCache<string, Network>({ max: maxNetworks });

  /** `now`: monotonic, in milliseconds. */
  constructor(settings: RateLimitSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Counts a reply. Beyond the limit, every second one is truncated, so that honest clients get through. */
  judge(address: string): ReplyVerdict {
    const { repliesPerSecond } = this.#settings;
    if (repliesPerSecond === 0) return "send";
    const network = this.#networkOf(address);
    const now = this.#now();
    const next = Math.max(network.freeAt, now) + 1000 / repliesPerSecond;
    if (next - now <= 1000.001) {
      network.freeAt = next;
      return "send";
    }
    return ++network.beyond % 2 === 0 ? "truncated" : "drop";
  }

  /** An attacker's target is a network rather than an address: /24 of IPv4, /64 of IPv6. */
  #networkOf(address: string): Network {
    const key = address.includes(".") ? address.slice(0, address.lastIndexOf(".")) : clientOf(address);
    const known = this.#networks.get(key);
    if (known !== undefined) return known;
    const network = { freeAt: 0, beyond: 0 };
    this.#networks.set(key, network);
    return network;
  }
}

/** Not a prop: about 10 MB. Networks that are forgotten begin anew. */
const maxNetworks = 50_000;
