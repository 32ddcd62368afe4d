// Parses regular expressions that can be matched in one pass: without back references and look-around.

/** One part of a pattern. */
export type Node =
  /** One character: of ASCII those in `ascii`, by their code; of others all or none. */
  | { readonly kind: "character"; readonly ascii: ReadonlySet<number>; readonly takesOthers: boolean }
  /** This text. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "sequence"; readonly nodes: readonly Node[] }
  /** The first that leads to a match. */
  | { readonly kind: "choice"; readonly nodes: readonly Node[] }
  | {
      readonly kind: "repeat";
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    }
  /** What it matches can be used in the replacement, by its number from 1. */
  | { readonly kind: "group"; readonly node: Node; readonly index: number };

/** Why a text is no pattern, in words for whoever wrote it. */
export class PatternError extends Error {}

/**
 * The syntax is that of JavaScript, as far as it goes: `.` (no line end), `[a-z]`, `[^"]`, `\d \w \s` and their
 * opposites, `\n \r \t \xHH`, `a|b`, `(…)`, `(?:…)`, `* + ? {2} {2,} {2,5}` and each of them with `?`. Throws
 * PatternError.
 */
export function parsePattern(source: string): Node {
  return new Parser(source).parse();
}

/** Repeats of more than this are refused: each is written out. */
const maxRepeats = 1000;

class Parser {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new PatternError(`the ")" at ${this.#at + 1} closes nothing`);
    return node;
  }

  #choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#take("|")) nodes.push(this.#sequence());
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { kind: "choice", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#source.length && !this.#sees("|") && !this.#sees(")")) nodes.push(this.#repeated());
    return { kind: "sequence", nodes };
  }

  #repeated(): Node {
    const node = this.#single();
    const bounds = this.#bounds();
    if (bounds === undefined) return node;
    const isLazy = this.#take("?");
    if (this.#bounds() !== undefined) throw new PatternError(`there is nothing to repeat at ${this.#at}`);
    return { kind: "repeat", node, ...bounds, isLazy };
  }

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity };
    if (this.#take("+")) return { min: 1, max: Infinity };
    if (this.#take("?")) return { min: 0, max: 1 };
    const [written, min, comma, max] = /^\{(\d+)(,?)(\d*)\}/.exec(this.#source.slice(this.#at)) ?? [];
    if (written === undefined) return undefined;
    this.#at += written.length;
    const least = Number(min);
    const most = comma === "" ? least : max === "" ? Infinity : Number(max);
    if (least > maxRepeats || (most !== Infinity && most > maxRepeats) || most < least) {
      throw new PatternError(`${written} is out of bounds: up to ${maxRepeats} repeats, the smaller number first`);
    }
    return { min: least, max: most };
  }

  #single(): Node {
    if (this.#take("(")) return this.#group();
    if (this.#take("[")) return this.#set();
    if (this.#take(".")) return { kind: "character", ascii: without(lineEnds), takesOthers: true };
    if (this.#take("\\")) return this.#escaped();
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    if ("^$*+?{".includes(character)) {
      const reason = "^$".includes(character)
        ? "content is searched as a whole, and has no lines here"
        : "there is nothing to repeat";
      throw new PatternError(
        `${character} at ${this.#at + 1}: ${reason}; for the character itself write \\${character}`,
      );
    }
    this.#at += character.length;
    return { kind: "text", text: character };
  }

  #group(): Node {
    const begin = this.#at;
    let index = 0;
    if (this.#take("?")) {
      if (!this.#take(":"))
        throw new PatternError(`(?${this.#source[this.#at] ?? ""} cannot be matched in one pass: only (?:…) is taken`);
    } else index = ++this.#groups;
    const node = this.#choice();
    if (!this.#take(")")) throw new PatternError(`the "(" at ${begin} is not closed`);
    return index === 0 ? node : { kind: "group", node, index };
  }

  #escaped(): Node {
    const letter = this.#source[this.#at];
    if (letter === undefined) throw new PatternError("a backslash is the last character");
    this.#at++;
    const named = namedSets.get(letter.toLowerCase());
    if (named !== undefined) {
      const isOpposite = letter !== letter.toLowerCase();
      return { kind: "character", ascii: isOpposite ? without(named) : named, takesOthers: isOpposite };
    }
    return { kind: "text", text: String.fromCharCode(this.#escapedCode(letter)) };
  }

  /** What stands for one character behind a backslash. */
  #escapedCode(letter: string): number {
    const control = controls.get(letter);
    if (control !== undefined) return control;
    if (letter === "x") {
      const [digits] = /^[0-9a-fA-F]{2}/.exec(this.#source.slice(this.#at)) ?? [];
      if (digits === undefined) throw new PatternError("\\x needs two hexadecimal digits");
      this.#at += 2;
      return parseInt(digits, 16);
    }
    if (/[0-9A-Za-z]/.test(letter)) throw new PatternError(`\\${letter} is not known here`);
    return letter.charCodeAt(0);
  }

  #set(): Node {
    const isOpposite = this.#take("^");
    const ascii = new Set<number>();
    for (let isFirst = true; isFirst || !this.#sees("]"); isFirst = false) {
      const from = this.#member();
      if (typeof from !== "number") for (const code of from) ascii.add(code);
      else {
        let to = from;
        if (this.#sees("-") && this.#source[this.#at + 1] !== "]") {
          this.#at++;
          const last = this.#member();
          if (typeof last !== "number" || last < from)
            throw new PatternError(`a range in [] ends before it begins, at ${this.#at}`);
          to = last;
        }
        for (let code = from; code <= to; code++) ascii.add(code);
      }
    }
    this.#at++;
    return { kind: "character", ascii: isOpposite ? without(ascii) : ascii, takesOthers: isOpposite };
  }

  #member(): number | ReadonlySet<number> {
    const character = this.#source[this.#at++];
    if (character === undefined) throw new PatternError("a [ is not closed");
    let code = character.charCodeAt(0);
    if (character === "\\") {
      const letter = this.#source[this.#at++] ?? "";
      const named = namedSets.get(letter);
      if (named !== undefined) return named;
      code = this.#escapedCode(letter);
    }
    if (code > 127) throw new PatternError(`${character} cannot stand in []: only ASCII can; write (?:a|${character})`);
    return code;
  }

  #sees(character: string): boolean {
    return this.#source[this.#at] === character;
  }

  #take(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at++;
    return true;
  }
}

const codesOf = (text: string): ReadonlySet<number> =>
  new Set(Array.from(text, (character) => character.charCodeAt(0)));

const digits = "0123456789";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const lineEnds = codesOf("\n\r");

const namedSets: ReadonlyMap<string, ReadonlySet<number>> = new Map([
  ["d", codesOf(digits)],
  ["w", codesOf(digits + letters + "_")],
  ["s", codesOf(" \t\n\v\f\r")],
]);

const controls: ReadonlyMap<string, number> = new Map([
  ["n", 10],
  ["r", 13],
  ["t", 9],
]);

function without(codes: ReadonlySet<number>): ReadonlySet<number> {
  return new Set(Array.from({ length: 128 }, (_, code) => code).filter((code) => !codes.has(code)));
}
