// Header fields as users see them, whatever the HTTP version that they came by.

/** The fields of one head or trailer section, in the order received. Names are matched without regard to case. */
export interface Fields extends Iterable<readonly [name: string, value: string]> {
  /** How many field lines there are. */
  readonly count: number;
  /**
   * Names, in lower case, of those that no codec may put into a table (RFC 7541 7.1.3), as their sender said;
   * `undefined`: it said so of none.
   */
  readonly neverIndexed?: ReadonlySet<string> | undefined;
  /** The value; of repeated fields all values joined by `, ` (`; ` for `cookie`), as RFC 9110 5.3 says. */
  get(name: string): string | undefined;
  /** Each value by itself; empty if there is none. */
  getAll(name: string): readonly string[];
  /** Whether there is a field of this name. */
  has(name: string): boolean;
}

/**
 * Fields from a list of names and values in turn: `["host", "a.example", "accept", "*\/*"]`. Names must be in lower
 * case.
 */
export class ListedFields implements Fields {
  readonly neverIndexed: ReadonlySet<string> | undefined;
  readonly #list: readonly string[];
  /** A bit for each name, by `bitOf`; 0 before the first search. Most names that are asked for are not there. */
  #nameBits = 0;

  /** The list must not be changed afterwards. */
  constructor(list: readonly string[], neverIndexed?: ReadonlySet<string>) {
    this.#list = list;
    this.neverIndexed = neverIndexed;
  }

  get count(): number {
    return this.#list.length / 2;
  }

  get(name: string): string | undefined {
    if (!this.#mayHave(name)) return undefined;
    const wanted = name.toLowerCase();
    const first = this.#find(wanted, 0);
    if (first < 0) return undefined;
    if (this.#find(wanted, first + 2) < 0) return this.#list[first + 1];
    return joinValues(wanted, this.getAll(wanted));
  }

  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (let at = this.#find(wanted, 0); at >= 0; at = this.#find(wanted, at + 2))
      values.push(this.#list[at + 1] ?? "");
    return values;
  }

  has(name: string): boolean {
    return this.#mayHave(name) && this.#find(name.toLowerCase(), 0) >= 0;
  }

  /** False: it is not there. */
  #mayHave(name: string): boolean {
    if (this.#nameBits === 0) this.#nameBits = bitsOf(this.#list);
    return (this.#nameBits & bitOf(name)) !== 0;
  }

  /** Where in the list, from `at` on, the next field of that name stands; -1 if nowhere. */
  #find(wanted: string, at: number): number {
    const list = this.#list;
    for (; at < list.length; at += 2) if (list[at] === wanted) return at;
    return -1;
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    const list = this.#list;
    for (let i = 0; i + 1 < list.length; i += 2) yield [list[i] ?? "", list[i + 1] ?? ""];
  }
}

/** Of all names in a list of names and values in turn. */
function bitsOf(list: readonly string[]): number {
  let bits = 0;
  for (let i = 0; i < list.length; i += 2) bits |= bitOf(list[i] ?? "");
  return bits;
}

/** One of 32 bits, the same for a name in either case. */
function bitOf(name: string): number {
  const { length } = name;
  return 1 << ((length * 7 + lowerCaseAt(name, 0) + lowerCaseAt(name, length - 1) * 3) & 31);
}

/** The code of an ASCII letter in lower case; another character always has the same code, too. */
function lowerCaseAt(text: string, at: number): number {
  return text.charCodeAt(at) | 0x20;
}

/** A list of fields that has none. */
export const noFields: Fields = new ListedFields([]);

/** Names and values in turn, as `ListedFields` takes them, without the fields of those names (in lower case). */
export function listWithout(fields: Fields, names: ReadonlySet<string>): string[] {
  const list: string[] = [];
  for (const [name, value] of fields) if (!names.has(name)) list.push(name, value);
  return list;
}

/** One value out of the values of repeated fields. `name` in lower case. */
export function joinValues(name: string, values: readonly string[]): string | undefined {
  if (values.length < 2) return values[0];
  return values.join(name === "cookie" ? "; " : ", ");
}

/**
 * Each name once, in the order of their first lines, with its joined value. One pass, where `get` for each name would
 * take quadratic time.
 */
export function joinedFields(fields: Fields): ReadonlyMap<string, string> {
  const values = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  const joined = new Map<string, string>();
  for (const [name, list] of values) joined.set(name, joinValues(name, list) ?? "");
  return joined;
}
