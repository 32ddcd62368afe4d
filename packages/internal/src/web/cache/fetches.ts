// The fetches under way in one cache: requests for the same wait for one of them.

import type { PurgeSelector } from "./cacher.ts";
import { Fetch } from "./fetch.ts";
import type { FetchOptions, FetchOrder } from "./fetch-order.ts";

/** The fetches under way. */
export class Fetches {
  readonly #options: FetchOptions;
  readonly #running = new Map<string, readonly Fetch[]>();

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** Whether one is under way for this key. */
  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** How many are under way. */
  get count(): number {
    return this.#running.size;
  }

  /** A fetch under way that may bring what the request wants. */
  find(order: Pick<FetchOrder, "key" | "req" | "wishes">): Fetch | undefined {
    return this.#running.get(order.key)?.find((fetch) => fetch.mayServe(order));
  }

  /** `run` of the fetch is to follow, when its client has joined it. */
  begin(order: FetchOrder): Fetch {
    const { key } = order;
    const fetch: Fetch = new Fetch(order, this.#options, () => {
      const left = (this.#running.get(key) ?? []).filter((other) => other !== fetch);
      if (left.length === 0) this.#running.delete(key);
      else this.#running.set(key, left);
    });
    this.#running.set(key, [...(this.#running.get(key) ?? []), fetch]);
    return fetch;
  }

  /** Requests from now on must not get what was asked for before a purge. */
  purged(selector: PurgeSelector): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.purged(selector);
  }

  /** Breaks off all that is under way. */
  close(): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.abort();
  }
}
