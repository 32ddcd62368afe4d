// The levels of the stock: plain TypeScript that knows nothing of Hemi.

export class Levels {
  readonly #counts = new Map<string, number>([["apple", 3]]);
  /** How many changes there were. */
  #version = 0;
  #change = Promise.withResolvers<void>();

  get(sku: string): number | undefined {
    return this.#counts.get(sku);
  }

  add(sku: string, by: number): void {
    this.#counts.set(sku, (this.#counts.get(sku) ?? 0) + by);
    this.#version++;
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** The level now, and after each change of it. */
  async *follow(sku: string, signal: AbortSignal): AsyncGenerator<{ count: number; version: number }, void, void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    let last: number | undefined;
    while (!signal.aborted) {
      const count = this.get(sku) ?? 0;
      const { promise } = this.#change;
      if (count !== last) yield { count, version: this.#version };
      last = count;
      await Promise.race([promise, aborted]);
    }
  }
}
