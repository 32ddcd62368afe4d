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

  /** An attempt has succeeded. */
  succeeded(): void {
    if (this.#budget < maxBudget) this.#budget = Math.min(maxBudget, this.#budget + 0.1);
  }

  /**
   * Takes another attempt from the budget, after so many that have failed, the last one with `error`. False: the call
   * is not repeated.
   */
  spend(attempts: number, idempotency: Idempotency, error: unknown): boolean {
    if (attempts > this.#most || !mayRepeat(idempotency, error) || this.#budget <= maxBudget / 2) return false;
    this.#budget--;
    return true;
  }

  /** The time before it. */
  pause(attempts: number, signal: AbortSignal): Promise<void> {
    return backOff(firstPause, attempts - 1, signal);
  }
}

function mayRepeat(idempotency: Idempotency, error: unknown): boolean {
  if (!(error instanceof RpcError) || error.code !== "unavailable") return false;
  return idempotency !== "unknown" || error instanceof NotBegunError;
}

const maxBudget = 20;
/** In ms. */
const firstPause = 50;

/** Waits for about `first` ms, and twice as long after each failure. Ends early when the signal aborts. */
export function backOff(first: number, failures: number, signal: AbortSignal): Promise<void> {
  return pause(first * 2 ** failures * (0.5 + Math.random()), signal);
}

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
