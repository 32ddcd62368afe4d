// Repeats calls that may be repeated, within a budget: many failures at once must not become many more calls.

import type { Idempotency } from "./procedure.ts";
import { NotBegunError } from "./not-begun.ts";
import { RpcError } from "./rpc-error.ts";

export class Retries {
  readonly #most: number;
  /** Each repetition costs 1, each success earns a tenth; at the half of it there are none. */
  #budget = maxBudget;

  /** `most`: repetitions of one call. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Calls once, and again while the answer is `unavailable`, if the call may be repeated or has never begun. */
  async run<T>(idempotency: Idempotency, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    for (let count = 0; ; count++) {
      try {
        const result = await call();
        this.#budget = Math.min(maxBudget, this.#budget + 0.1);
        return result;
      } catch (error) {
        const isUnavailable = error instanceof RpcError && error.code === "unavailable";
        const mayRepeat = isUnavailable && (idempotency !== "unknown" || error instanceof NotBegunError);
        if (!mayRepeat || count >= this.#most || signal.aborted || this.#budget <= maxBudget / 2) throw error;
        this.#budget--;
        await pause(firstPause * 2 ** count * (0.5 + Math.random()), signal);
      }
    }
  }
}

const maxBudget = 20;
/** In ms. */
const firstPause = 50;

/** Ends early when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
