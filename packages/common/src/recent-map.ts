// A map that remembers a limited number of keys, those that were set last. It grows with its content; `lru-cache`
// allocates room for the maximum in advance.

export class RecentMap<Key, Value> {
  /** In the order in which they were set last. */
  readonly #values = new Map<Key, Value>();
  readonly #max: number;

  /** `max`: how many keys it remembers at once. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  /** Makes the key the most recent one. Of too many, the one that was set longest ago is forgotten. */
  set(key: Key, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#max) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  /** The `count` keys that were set last, the most recent one at the end. */
  *latest(count: number): IterableIterator<readonly [Key, Value]> {
    let skipped = this.#values.size - count;
    for (const entry of this.#values) if (skipped-- <= 0) yield entry;
  }

  delete(key: Key): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }
}
