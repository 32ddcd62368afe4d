// A budget for retries. If everything fails, retries would only add load.

import { RecentCounts } from "./recent-counts.ts";

export class RetryBudget {
  readonly #percent: () => number;
  readonly #counts: RecentCounts<"request" | "retry">;

  /** `percent`: the retries for every hundred requests. */
  constructor(percent: () => number, now: () => number) {
    this.#percent = percent;
    this.#counts = new RecentCounts(() => window, now);
  }

  requested(): void {
    this.#counts.add("request");
  }

  /** Takes one retry from the budget. Returns false if the budget is spent. */
  take(): boolean {
    const allowed = leastRetries + (this.#counts.of("request") * this.#percent()) / 100;
    if (this.#percent() === 0 || this.#counts.of("retry") >= allowed) return false;
    this.#counts.add("retry");
    return true;
  }
}

/** In milliseconds. Not a prop: only the share matters. */
const window = 10_000;
/** The retries that are always allowed in that time: a share of few requests would allow none. */
const leastRetries = 10;
