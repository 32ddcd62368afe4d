// The parameters of a query string, decoded on demand.

/** The maximum number of parameters of a query. Further ones are ignored. */
const defaultLimit = 1000;

/**
 * `?a=1&b=x+y&a=2` by name. Decoded like forms (WHATWG URL, application/x-www-form-urlencoded): `+` is a space, and a
 * name without `=` has the value "". Invalid percent-encoding and invalid UTF-8, which the standard replaces by U+FFFD,
 * are kept as sent. The text is short and usually read once or twice; the parameters of one that is read more often, by
 * the conditions of many rules, are kept.
 */
export class Queries {
  readonly #text: string;
  readonly #limit: number;
  #lookups = 0;
  /** The first value of each name, once several were looked up. */
  #values: ReadonlyMap<string, string> | undefined;

  /** `text` with or without its `?`. */
  constructor(text: string, limit: number = defaultLimit) {
    this.#text = text.charCodeAt(0) === questionMark ? text.slice(1) : text;
    this.#limit = limit;
  }

  /** The first value with this name. */
  get(name: string): string | undefined {
    if (this.#values === undefined && ++this.#lookups > maxReadings) {
      // Of two pairs with one key, a map keeps the last one.
      this.#values = new Map(this.entries().reverse());
    }
    return this.#values === undefined ? this.#find(name) : this.#values.get(name);
  }

  #find(name: string): string | undefined {
    let count = 0;
    for (let start = 0; start < this.#text.length && count < this.#limit;) {
      const end = endOf(this.#text, start);
      if (end > start) {
        const value = valueIfNamed(this.#text, start, end, name);
        if (value !== undefined) return value;
        count++;
      }
      start = end + 1;
    }
    return undefined;
  }

  /** All values with this name, in order. */
  getAll(name: string): string[] {
    return this.entries()
      .filter(([each]) => each === name)
      .map(([, value]) => value);
  }

  /** All pairs, in order. */
  entries(): [name: string, value: string][] {
    const pairs: [string, string][] = [];
    for (let start = 0; start < this.#text.length && pairs.length < this.#limit;) {
      const end = endOf(this.#text, start);
      if (end > start) {
        const equals = equalsOf(this.#text, start, end);
        pairs.push([decode(this.#text.slice(start, equals)), decode(this.#text.slice(equals + 1, end))]);
      }
      start = end + 1;
    }
    return pairs;
  }
}

/** So often the text is read for one name: cheaper than to decode all of it. */
const maxReadings = 3;

const questionMark = 0x3f;
const percent = 0x25;
const plus = 0x2b;
const equalsSign = 0x3d;

/** The end of the pair that begins at `start`. */
function endOf(text: string, start: number): number {
  const ampersand = text.indexOf("&", start);
  return ampersand === -1 ? text.length : ampersand;
}

/** The end of the name in the pair: its `=`, or the end of the pair. */
function equalsOf(text: string, start: number, end: number): number {
  for (let i = start; i < end; i++) if (text.charCodeAt(i) === equalsSign) return i;
  return end;
}

function valueIfNamed(text: string, start: number, end: number, name: string): string | undefined {
  const equals = equalsOf(text, start, end);
  const isNamed = isEncoded(text, start, equals)
    ? decode(text.slice(start, equals)) === name
    : equals - start === name.length && text.startsWith(name, start);
  return isNamed ? decode(text.slice(equals + 1, end)) : undefined;
}

function isEncoded(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === percent || code === plus) return true;
  }
  return false;
}

function decode(raw: string): string {
  if (!isEncoded(raw, 0, raw.length)) return raw;
  const spaced = raw.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/(?:%[0-9A-Fa-f]{2})+/g, decodeRun);
  }
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return run;
  }
}
