// Values on a request that a handlet stores for later handlets.

/**
 * Names a value and carries its type: `const user = new LocalKey<User>("user")`. Two keys with the same name are
 * different keys.
 */
export class LocalKey<T> {
  /** For messages. */
  readonly name: string;
  declare private readonly _type: T;

  constructor(name: string) {
    this.name = name;
  }
}

/** The stored values of one request. */
export class Locals {
  readonly #values = new Map<object, unknown>();

  /** The value of this key; `undefined` if it was not set. */
  get<T>(key: LocalKey<T>): T | undefined {
    // The value was stored by `set` with the same key, so it has its type.
    return this.#values.get(key) as T | undefined;
  }

  /** Stores a value for later handlets. */
  set<T>(key: LocalKey<T>, value: T): void {
    this.#values.set(key, value);
  }
}
