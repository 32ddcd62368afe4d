// Counts the work of one node.

import { countDuration, increase } from "../metrics/count-group.ts";
import { nodeGroup } from "../metrics/groups.ts";

export class NodeCounts {
  readonly #numbers: Float64Array;
  #isUsable = false;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  entered(): void {
    increase(this.#numbers, at.active);
  }

  left(): void {
    increase(this.#numbers, at.active, -1);
  }

  /** `duration` in ms; `undefined` where the work is not a response. */
  ended(outcome: "good" | "failed" | "abandoned", duration: number | undefined): void {
    increase(this.#numbers, at[outcome]);
    if (duration !== undefined) countDuration(this.#numbers, at.durations, duration);
  }

  /** A kept connection was closed when it was used. */
  stale(): void {
    increase(this.#numbers, at.stale);
  }

  ejected(): void {
    increase(this.#numbers, at.ejections);
  }

  usable(isUsable: boolean): void {
    if (isUsable === this.#isUsable) return;
    this.#isUsable = isUsable;
    increase(this.#numbers, at.usable, isUsable ? 1 : -1);
  }
}

const { at } = nodeGroup;
