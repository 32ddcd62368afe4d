// Conditions of `if` and `elif`: `$path ^= "/shop/" && !($query_lang = "de" || $cookie_lang = "de")`.

/** Gives the value of a variable; "" for one that is not there. */
export type Lookup = (name: string) => string;

/** Text as it stands between variables, or the name of one. */
export type Stretch = string | { readonly variable: string };

/** Takes `$name` and `${name}` out of a text; `\$` is a dollar. */
export function stretchesOf(text: string): Stretch[] {
  return Array.from(text.matchAll(/(\\\$)|\$(?:\{(\w+)\}|(\w+))|[^\\$]+|[\\$]/g), ([whole, dollar, braced, bare]) => {
    const variable = braced ?? bare;
    if (variable !== undefined) return { variable };
    return dollar === undefined ? whole : "$";
  });
}

/** The text with the values of its variables. */
export function interpolate(text: string, lookup: Lookup): string {
  return stretchesOf(text)
    .map((stretch) => (typeof stretch === "string" ? stretch : lookup(stretch.variable)))
    .join("");
}

/**
 * Operators are those of rules: `==` (or `=`), `!=`, `^=`, `$=`, `*=`, then `!`, `&&`, `||` (weaker) and parentheses. A
 * text by itself holds if it is not empty. `undefined` if it is malformed.
 */
export function evaluate(expression: string, lookup: Lookup): boolean | undefined {
  const tokens = tokenize(expression, lookup);
  if (tokens === undefined) return undefined;
  const reader = new Reader(tokens);
  const value = reader.either();
  return reader.isAtEnd ? value : undefined;
}

type Token = { readonly operator: string } | { readonly text: string };

function tokenize(expression: string, lookup: Lookup): readonly Token[] | undefined {
  const token =
    /\s*(?:(&&|\|\||==|!=|\^=|\$=|\*=|=|!|\(|\))|"([^"]*)"|'([^']*)'|((?:[^\s"'()!=&|^*$]|\$\w+|\$\{\w+\})+))\s*/y;
  const tokens: Token[] = [];
  while (token.lastIndex < expression.length) {
    const [matched, operator, double, single, bare] = token.exec(expression) ?? [];
    if (matched === undefined || tokens.length >= maxTokens) return undefined;
    tokens.push(operator === undefined ? { text: interpolate(double ?? single ?? bare ?? "", lookup) } : { operator });
  }
  return tokens;
}

/** Each may be a parenthesis, and so a level of recursion. */
const maxTokens = 200;

const comparisons: ReadonlyMap<string, (text: string, pattern: string) => boolean> = new Map([
  ["=", (text, pattern) => text === pattern],
  ["==", (text, pattern) => text === pattern],
  ["!=", (text, pattern) => text !== pattern],
  ["^=", (text, pattern) => text.startsWith(pattern)],
  ["$=", (text, pattern) => text.endsWith(pattern)],
  ["*=", (text, pattern) => text.includes(pattern)],
]);

/** Each method reads as much as belongs together; `undefined` where that is malformed. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  either(): boolean | undefined {
    let value = this.#both();
    while (value !== undefined && this.#take("||")) {
      const other = this.#both();
      value = other === undefined ? undefined : value || other;
    }
    return value;
  }

  #both(): boolean | undefined {
    let value = this.#single();
    while (value !== undefined && this.#take("&&")) {
      const other = this.#single();
      value = other === undefined ? undefined : value && other;
    }
    return value;
  }

  #single(): boolean | undefined {
    if (this.#take("!")) {
      const value = this.#single();
      return value === undefined ? undefined : !value;
    }
    if (this.#take("(")) {
      const value = this.either();
      return this.#take(")") ? value : undefined;
    }
    const text = this.#text();
    if (text === undefined) return undefined;
    const next = this.#tokens[this.#at];
    const compare = next !== undefined && "operator" in next ? comparisons.get(next.operator) : undefined;
    if (compare === undefined) return text !== "";
    this.#at++;
    const pattern = this.#text();
    return pattern === undefined ? undefined : compare(text, pattern);
  }

  #text(): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !("text" in token)) return undefined;
    this.#at++;
    return token.text;
  }

  #take(operator: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || !("operator" in token) || token.operator !== operator) return false;
    this.#at++;
    return true;
  }
}
