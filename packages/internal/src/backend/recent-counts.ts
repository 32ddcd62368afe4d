// Counts over the last seconds, in two halves of a window. The older half is dropped as a whole.

import { turnTick } from "../metrics/turn.ts";

export class RecentCounts<Name extends string> {
  readonly #halfWindow: () => number;
  readonly #now: () => number;
  #since: number;
  #current: Partial<Record<Name, number>> = {};
  #before: Partial<Record<Name, number>> = {};
  /** The turn of the event loop in which the clock was looked at last: see `turnTick`. */
  #tick = -1;

  /**
   * `window`: milliseconds. A count is forgotten after half of the window at the earliest, and after all of it at the
   * latest.
   */
  constructor(window: () => number, now: () => number) {
    this.#halfWindow = () => window() / 2;
    this.#now = now;
    this.#since = now();
  }

  add(name: Name): void {
    const tick = turnTick();
    if (tick !== this.#tick) this.#turn();
    this.#tick = tick;
    this.#current[name] = (this.#current[name] ?? 0) + 1;
  }

  of(name: Name): number {
    this.#turn();
    return (this.#current[name] ?? 0) + (this.#before[name] ?? 0);
  }

  clear(): void {
    this.#current = {};
    this.#before = {};
  }

  #turn(): void {
    const age = this.#now() - this.#since;
    const half = this.#halfWindow();
    if (age < half) return;
    this.#before = age < 2 * half ? this.#current : {};
    this.#current = {};
    this.#since = this.#now();
  }
}
