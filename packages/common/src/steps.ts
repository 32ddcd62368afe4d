// Long computations in slices: an event loop that does other work keeps its pace meanwhile.

import { performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

/** A computation that yields wherever it may be interrupted. Code that runs in between must not change its input. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Runs a computation to its end, without interruption. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs a computation in slices of about `sliceTime` milliseconds (default: 8), each in its own turn of the event loop.
 * A slice ends at the first `yield` after its time is over. Rejects with what the computation throws.
 */
export async function finishInSlices<Result>(steps: Steps<Result>, sliceTime = 8): Promise<Result> {
  for (;;) {
    const end = performance.now() + sliceTime;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await turn();
  }
}
