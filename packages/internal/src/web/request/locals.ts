// A place on a request for what one handlet hands on to the next.

/** Names a value and carries its type: `const user = new LocalKey<User>("user")`. Two keys of one name are two keys. */
export class LocalKey<T> {
  /** For messages. */
  readonly name: string;
  declare private readonly _type: T;

  constructor(name: string) {
    this.name = name;
  }
}

/** The values handed on with one request. */
export class Locals {
  readonly #values = new Map<object, unknown>();

  /** What was set under this key; `undefined` if nothing was. */
  get<T>(key: LocalKey<T>): T | undefined {
    // What stands under a key was put there by `set` with the same key, and so has its type.
    return this.#values.get(key) as T | undefined;
  }

  /** Hands a value on to the handlets that come next. */
  set<T>(key: LocalKey<T>, value: T): void {
    this.#values.set(key, value);
  }
}
