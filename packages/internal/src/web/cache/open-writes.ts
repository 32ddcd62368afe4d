// Purges while responses arrive: a response that a purge selects must not be stored after it, although it began before.

import { selects, type Purgeable, type PurgeSelector } from "./cacher.ts";

/** The purges since one write began. */
export class OpenWrite {
  /** For `OpenWrites`. */
  readonly purges: PurgeSelector[] = [];

  /** Whether a purge since then selects this response. */
  isPurged(response: Purgeable): boolean {
    return this.purges.some((selector) => selects(selector, response));
  }
}

/** The writes under way in one cacher. */
export class OpenWrites {
  readonly #open = new Set<OpenWrite>();

  /** Call it in `begin` of a cacher. */
  begin(): OpenWrite {
    const write = new OpenWrite();
    this.#open.add(write);
    return write;
  }

  /** Call it when a write is committed or aborted. */
  end(write: OpenWrite): void {
    this.#open.delete(write);
  }

  /** Call it at each purge, before anything is removed. */
  note(selector: PurgeSelector): void {
    for (const { purges } of this.#open) {
      // Nothing is lost by storing less: a slow response may see any number of purges.
      if (purges.length >= maxPurges) purges.splice(0, purges.length, "all");
      else purges.push(selector);
    }
  }
}

/** Not a prop: with more, the response is not stored at all. */
const maxPurges = 1000;
