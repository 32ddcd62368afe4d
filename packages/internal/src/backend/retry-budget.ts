// A budget for retries: where all fails, they would only add to the load.

import { RecentCounts } from "./recent-counts.ts";

export class RetryBudget {
  readonly #percent: () => number;
  readonly #counts: RecentCounts<"request" | "retry">;

  /** `percent`: so many retries for each hundred requests. */
  constructor(percent: () => number, now: () => number) {
    this.#percent = percent;
    this.#counts = new RecentCounts(() => window, now);
  }

  requested(): void {
    this.#counts.add("request");
  }

  /** Takes one retry from the budget. False: it is spent. */
  take(): boolean {
    const allowed = leastRetries + (this.#counts.of("request") * this.#percent()) / 100;
    if (this.#percent() === 0 || this.#counts.of("retry") >= allowed) return false;
    this.#counts.add("retry");
    return true;
  }
}

/** ms. No prop: the share is what counts. */
const window = 10_000;
/** In that time, whatever the share: where there are few requests, a share of them is none. */
const leastRetries = 10;
