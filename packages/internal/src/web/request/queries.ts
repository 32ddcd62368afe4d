// The parameters of a query string, decoded when they are asked for.

/** How many parameters of one query are looked at; what comes behind them is as if it were not there. */
const defaultLimit = 1000;

/**
 * `?a=1&b=x+y&a=2` by name. Decoded as forms are (WHATWG URL, application/x-www-form-urlencoded): `+` is a space, a
 * name without `=` has the value "". What the standard would replace by U+FFFD, broken percent-encoding and what is not
 * UTF-8, is left as it was sent. Nothing is kept: each question walks the text, which is short and mostly asked once or
 * twice.
 */
export class Queries {
  readonly #text: string;
  readonly #limit: number;

  /** `text` with or without its `?`. */
  constructor(text: string, limit: number = defaultLimit) {
    this.#text = text.charCodeAt(0) === questionMark ? text.slice(1) : text;
    this.#limit = limit;
  }

  /** The first value of this name. */
  get(name: string): string | undefined {
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

  /** All values of this name, in their order. */
  getAll(name: string): string[] {
    return this.entries()
      .filter(([each]) => each === name)
      .map(([, value]) => value);
  }

  /** All pairs, in their order. */
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

const questionMark = 0x3f;
const percent = 0x25;
const plus = 0x2b;
const equalsSign = 0x3d;

/** Where the pair that begins at `start` ends. */
function endOf(text: string, start: number): number {
  const ampersand = text.indexOf("&", start);
  return ampersand === -1 ? text.length : ampersand;
}

/** Where the name of the pair ends: at its `=`, or at its end. */
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
