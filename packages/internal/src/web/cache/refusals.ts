// Remembers which responses were not stored, and why: requests for them need not wait for each other.

/** By key, for a time. */
export class Refusals {
  readonly #byKey = new Map<string, { readonly until: number; readonly reason: string }>();

  /** `until`: in milliseconds since the epoch. */
  add(key: string, reason: string, until: number): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, { until, reason });
    if (this.#byKey.size <= maxRefusals) return;
    const [oldest] = this.#byKey.keys();
    if (oldest !== undefined) this.#byKey.delete(oldest);
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** Whether the next response will most likely not be stored either. */
  has(key: string, now: number): boolean {
    const refusal = this.#byKey.get(key);
    return refusal !== undefined && now < refusal.until;
  }

  reasonOf(key: string): string | undefined {
    return this.#byKey.get(key)?.reason;
  }
}

/** Not a prop: a forgotten one costs one wait. */
const maxRefusals = 10_000;
