// Things that several users share by a key, such as an open file: the first user opens it, the last one closes it.

/** One user's share of a value. */
export interface Share<Value> {
  readonly value: Value;
  /** The last user's closes the value; it resolves when that is done. Twice is harmless. */
  readonly release: () => Promise<void>;
}

interface Entry<Value> {
  readonly value: Value;
  users: number;
  /** Settles when it is closed; `undefined` while it has users. */
  closed?: Promise<void>;
}

/** At any time there is at most one open value of a key. */
export class SharedPool<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #close: (value: Value) => void | Promise<void>;

  constructor(close: (value: Value) => void | Promise<void>) {
    this.#close = close;
  }

  /** How many values are open, or being closed. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Joins the users of the value with this key, or opens one. While the last one of this key is being closed, it waits
   * for that. Rejects with what `open` throws, and nothing is kept then.
   */
  async acquire(key: string, open: () => Value): Promise<Share<Value>> {
    let entry = this.#entries.get(key);
    while (entry?.closed !== undefined) {
      await entry.closed;
      entry = this.#entries.get(key);
    }
    if (entry === undefined) {
      entry = { value: open(), users: 0 };
      this.#entries.set(key, entry);
    }
    return this.#share(key, entry);
  }

  #share(key: string, entry: Entry<Value>): Share<Value> {
    entry.users++;
    let isReleased = false;
    return {
      value: entry.value,
      release: async () => {
        if (!isReleased) {
          isReleased = true;
          if (--entry.users === 0) entry.closed = this.#end(key, entry.value);
        }
        await entry.closed;
      },
    };
  }

  /** Settles without an error: whoever opens the next one is not to blame for what became of this one. */
  async #end(key: string, value: Value): Promise<void> {
    try {
      await this.#close(value);
    } catch {
      // It is as closed as it can be.
    }
    this.#entries.delete(key);
  }
}
