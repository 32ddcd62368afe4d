// A bounded list whose entries have numbers: whoever has seen those up to a number asks for the later ones.

/** An entry with its number; numbers grow by one. */
export type Numbered<Entry> = Entry & { readonly number: number };

export class NumberedList<Entry extends object> {
  readonly #entries: Numbered<Entry>[] = [];
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #sizeOf: (entry: Entry) => number;
  #size = 0;
  #last = 0;

  /** Beyond `maxEntries`, and beyond a sum of `sizeOf` of `maxSize`, the oldest entries are dropped. */
  constructor(maxEntries: number, maxSize: number, sizeOf: (entry: Entry) => number) {
    this.#maxEntries = maxEntries;
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
  }

  add(entry: Entry): void {
    this.#entries.push({ ...entry, number: ++this.#last });
    this.#size += this.#sizeOf(entry);
    while (this.#entries.length > this.#maxEntries || this.#size > this.#maxSize) {
      const dropped = this.#entries.shift();
      if (dropped === undefined) return;
      this.#size -= this.#sizeOf(dropped);
    }
  }

  /** Those behind a number, the oldest first. */
  after(number: number): readonly Numbered<Entry>[] {
    const first = this.#entries[0]?.number ?? Infinity;
    return number < first ? [...this.#entries] : this.#entries.slice(number - first + 1);
  }
}
