// Repeats calls that may be repeated, within a budget: many failures at once must not become many more calls.

import type { CallLimits } from "./call-limits.ts";
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

  /**
   * Calls once, and again while the answer is `unavailable`, if the call may be repeated or has never begun. Ends the
   * limits.
   */
  run<T>(idempotency: Idempotency, limits: CallLimits, call: () => Promise<T>): Promise<T> {
    return call().then(
      (result) => this.#succeeded(result, limits),
      (error: unknown) => this.#again(idempotency, limits, call, error),
    );
  }

  #succeeded<T>(result: T, limits: CallLimits): T {
    limits.end();
    this.#budget = Math.min(maxBudget, this.#budget + 0.1);
    return result;
  }

  /** `error`: why the first attempt failed. */
  async #again<T>(idempotency: Idempotency, limits: CallLimits, call: () => Promise<T>, error: unknown): Promise<T> {
    for (let count = 0; ; count++) {
      if (count >= this.#most || !mayRepeat(idempotency, error) || limits.reason !== undefined || !this.#hasBudget) {
        limits.end();
        throw error;
      }
      this.#budget--;
      await pause(firstPause * 2 ** count * (0.5 + Math.random()), limits.signal);
      try {
        return this.#succeeded(await call(), limits);
      } catch (other) {
        error = other;
      }
    }
  }

  get #hasBudget(): boolean {
    return this.#budget > maxBudget / 2;
  }
}

function mayRepeat(idempotency: Idempotency, error: unknown): boolean {
  if (!(error instanceof RpcError) || error.code !== "unavailable") return false;
  return idempotency !== "unknown" || error instanceof NotBegunError;
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
