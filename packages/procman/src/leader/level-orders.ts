// Minimum levels of the error log that an operator has ordered for a while. Each ends by itself.

import { HemiError } from "@hemi/hemi/base";
import type { LevelOrder, TimedLevel } from "../observe/level-order.ts";

export class LevelOrders {
  readonly #levels = new Map<string, { readonly timed: TimedLevel; readonly timer: NodeJS.Timeout }>();
  readonly #ended: (level: TimedLevel) => void;

  /** `ended`: a level is over by itself. */
  constructor(ended: (level: TimedLevel) => void) {
    this.#ended = ended;
  }

  get all(): readonly TimedLevel[] {
    return [...this.#levels.values()].map(({ timed }) => timed);
  }

  /** Throws HEMI_USAGE if there are too many. */
  set({ level, path = "", period = defaultPeriod }: LevelOrder): void {
    if (level === undefined) return;
    clearTimeout(this.#levels.get(path)?.timer);
    this.#levels.delete(path);
    if (level === null) return;
    if (this.#levels.size >= maxLevels) {
      throw new HemiError(
        "HEMI_USAGE",
        `${maxLevels} components have levels of their own: hemi log-level default --path P`,
      );
    }
    const timed = { path, level, until: Date.now() + period };
    const timer = setTimeout(() => {
      this.#levels.delete(path);
      this.#ended(timed);
    }, period).unref();
    this.#levels.set(path, { timed, timer });
  }

  /** Those of another leader, which end when they would have ended there. */
  take(levels: readonly TimedLevel[]): void {
    for (const { level, path, until } of levels) {
      const period = until - Date.now();
      if (period > 0) this.set({ level, path, period });
    }
  }

  close(): void {
    for (const { timer } of this.#levels.values()) clearTimeout(timer);
    this.#levels.clear();
  }
}

/** In ms. */
const defaultPeriod = 300_000;
/** Each line of the log is compared with all of them. */
const maxLevels = 32;
