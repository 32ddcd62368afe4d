// Counts over the last seconds, in two halves of a window. The older half is dropped as a whole.

export class RecentCounts<Name extends string> {
  readonly #halfWindow: () => number;
  readonly #now: () => number;
  #since: number;
  #current = new Map<Name, number>();
  #before = new Map<Name, number>();

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
    this.#turn();
    this.#current.set(name, (this.#current.get(name) ?? 0) + 1);
  }

  of(name: Name): number {
    this.#turn();
    return (this.#current.get(name) ?? 0) + (this.#before.get(name) ?? 0);
  }

  clear(): void {
    this.#current = new Map<Name, number>();
    this.#before = new Map<Name, number>();
  }

  #turn(): void {
    const age = this.#now() - this.#since;
    const half = this.#halfWindow();
    if (age < half) return;
    this.#before = age < 2 * half ? this.#current : new Map<Name, number>();
    this.#current = new Map<Name, number>();
    this.#since = this.#now();
  }
}
