// Header fields as users see them, whatever the HTTP version that they came by.

/** The fields of one head or trailer section, in the order received. Names are matched without regard to case. */
export interface Fields extends Iterable<readonly [name: string, value: string]> {
  /** How many field lines there are. */
  readonly count: number;
  /** The value; of repeated fields all values joined by `, ` (`; ` for `cookie`), as RFC 9110 5.3 says. */
  get(name: string): string | undefined;
  /** Each value by itself; empty if there is none. */
  getAll(name: string): readonly string[];
  has(name: string): boolean;
}

/** Fields from a list of names and values in turn: `["host", "a.example", "accept", "*\/*"]`. Names must be in lower case. */
export class ListedFields implements Fields {
  readonly #list: readonly string[];

  constructor(list: readonly string[]) {
    this.#list = list;
  }

  get count(): number {
    return this.#list.length / 2;
  }

  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return joinValues(wanted, this.getAll(wanted));
  }

  getAll(name: string): readonly string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (const [fieldName, value] of this) if (fieldName === wanted) values.push(value);
    return values;
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0;
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    const list = this.#list;
    for (let i = 0; i + 1 < list.length; i += 2) yield [list[i] ?? "", list[i + 1] ?? ""];
  }
}

export const noFields: Fields = new ListedFields([]);

/** One value out of the values of repeated fields. `name` in lower case. */
export function joinValues(name: string, values: readonly string[]): string | undefined {
  if (values.length < 2) return values[0];
  return values.join(name === "cookie" ? "; " : ", ");
}
