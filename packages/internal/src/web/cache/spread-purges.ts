// Purges for all workers of the program: what one purges, those beside it must not serve either.

import type { ErrorLog } from "../../log/error-log.ts";
import type { Workers } from "../../stage/workers.ts";
import type { PurgeOptions, PurgeSelector } from "./cacher.ts";

/** What is sent. */
interface Spread {
  readonly selector: PurgeSelector;
  readonly isSoft: boolean;
}

/** For the cachers of one name, one in each worker. */
export class SpreadPurges {
  readonly #workers: Workers;
  readonly #topic: string;
  readonly #end: () => void;

  /** `purgeHere` purges the cacher of this worker: it is called for what others have purged. */
  constructor(
    { workers, name, log }: { readonly workers: Workers; readonly name: string; readonly log: ErrorLog },
    purgeHere: (selector: PurgeSelector, options: PurgeOptions) => Promise<number>,
  ) {
    this.#workers = workers;
    this.#topic = `purge ${name}`;
    this.#end = workers.subscribe(this.#topic, (message) => {
      if (!isSpread(message)) return;
      const { selector, isSoft } = message;
      purgeHere(selector, { isSoft, isHere: true }).catch((error: unknown) => {
        log.error("a purge of another worker failed here: its responses may still be served", { error });
      });
    });
  }

  /** Tells the other workers of a purge. Throws HEMI_USAGE for a selector that is too long to be sent. */
  tell(selector: PurgeSelector, { isSoft = false, isDryRun = false, isHere = false }: PurgeOptions): void {
    if (isDryRun || isHere || this.#workers.count < 2) return;
    const spread: Spread = { selector, isSoft };
    this.#workers.broadcast(this.#topic, spread);
  }

  /** Hears of no purge any more. */
  close(): void {
    this.#end();
  }
}

function isSpread(value: unknown): value is Spread {
  return typeof value === "object" && value !== null && "selector" in value && isSelector(value.selector);
}

function isSelector(value: unknown): value is PurgeSelector {
  if (value === "all") return true;
  if (typeof value !== "object" || value === null) return false;
  const [entry, ...others]: (readonly [string, unknown])[] = Object.entries(value);
  if (entry === undefined || others.length > 0) return false;
  const [name, text] = entry;
  return ["url", "prefix", "tag"].includes(name) && typeof text === "string" && text !== "";
}
