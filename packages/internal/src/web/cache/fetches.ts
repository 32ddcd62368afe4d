// The fetches under way in one cache: requests for the same wait for one of them.

import type { PurgeSelector } from "./cacher.ts";
import { Fetch } from "./fetch.ts";
import type { FetchOptions, FetchOrder } from "./fetch-order.ts";
import { couldBeShared } from "./rules/reuse.ts";
import type { Wobject } from "./wobject.ts";

/** The fetches under way. */
export class Fetches {
  readonly #options: FetchOptions;
  readonly #running = new Map<string, Set<Fetch>>();

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
  find(order: FetchOrder): Fetch | undefined {
    const running = this.#running.get(order.key);
    // There may be many at once: nobody looks through them for what is for one client.
    if (running === undefined || !isForAll(order.stored)) return undefined;
    for (const fetch of running) if (fetch.mayServe(order)) return fetch;
    return undefined;
  }

  /** `run` of the fetch is to follow, when its client has joined it. */
  begin(order: FetchOrder): Fetch {
    const { key } = order;
    const running = this.#running.get(key) ?? new Set();
    const fetch: Fetch = new Fetch(order, this.#options, () => {
      running.delete(fetch);
      if (running.size === 0 && this.#running.get(key) === running) this.#running.delete(key);
    });
    this.#running.set(key, running.add(fetch));
    return fetch;
  }

  /** Requests from now on must not get what was asked for before a purge. */
  purged(selector: PurgeSelector): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.purged(selector);
  }

  /** There may be another cacher: its purges hold for what is under way, too. */
  cacherChanged(): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.cacherChanged();
  }

  /** Breaks off all that is under way. */
  close(): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.abort();
  }
}

/** What is validated before each use is most likely so again: no client is to wait for the answer to another one. */
function isForAll(stored: Wobject | undefined): boolean {
  return stored === undefined || couldBeShared(stored.head, stored.head.initialAge);
}
