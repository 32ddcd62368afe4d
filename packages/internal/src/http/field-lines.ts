// The field lines of an HTTP/1 head: the text that they came in, and where in it each name and value lies.

import { isPlainName, type FieldNames } from "./field-names.ts";
import { joinValues, type Fields } from "./fields.ts";
import { lowerCase } from "./bytes.ts";
import { listMembers } from "./list-members.ts";

/**
 * What heads of requests and of responses have in common. Whoever reads a head fills in `spans`, and `text` at its end.
 *
 * Its constructor sets plain properties: V8 constructs a base class that has fields or private methods by a slow call.
 */
export class FieldLines implements Fields {
  /** The head, or its last part, with the empty line behind the fields: a character for each byte. */
  declare text: string;
  /** For each field line: where in `text` its name starts and ends, where its value starts and ends. */
  declare readonly spans: number[];
  /** What `linesWithout` gave last, and for which names. */
  declare private kept: string;
  declare private dropped: FieldNames | undefined;
  /** Kept by a proxy for when they come again: what it has added to them. */
  declare added: object | undefined;
  /** Kept by a codec for when they come again: the lines that it made of them. */
  declare remade: object | undefined;
  /** Kept by a log for when they come again: what its lines have of them. */
  declare logged: object | undefined;

  constructor() {
    this.text = "";
    this.spans = [];
    this.kept = "";
    this.dropped = undefined;
    this.added = undefined;
    this.remade = undefined;
    this.logged = undefined;
  }

  get count(): number {
    return this.spans.length / 4;
  }

  get(name: string): string | undefined {
    const first = this.find(name, 0);
    if (first < 0) return undefined;
    if (this.find(name, first + 4) < 0) return this.valueAt(first);
    return joinValues(name.toLowerCase(), this.getAll(name));
  }

  getAll(name: string): readonly string[] {
    const values: string[] = [];
    for (let at = this.find(name, 0); at >= 0; at = this.find(name, at + 4)) values.push(this.valueAt(at));
    return values;
  }

  has(name: string): boolean {
    return this.find(name, 0) >= 0;
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    const { spans } = this;
    for (let at = 0; at < spans.length; at += 4) yield [this.nameAt(at), this.valueAt(at)];
  }

  /**
   * The field lines as they came, but for those of some names. Worked out once for each set of names: requests of a
   * connection often have the same fields.
   */
  linesWithout(names: FieldNames): string {
    if (this.dropped !== names) {
      this.kept = this.cutOut(names);
      this.dropped = names;
    }
    return this.kept;
  }

  /** Lines that follow each other are cut out in one piece. */
  private cutOut(names: FieldNames): string {
    const { spans } = this;
    let lines = "";
    let runStart = -1;
    for (let at = 0; at < spans.length; at += 4) {
      const nameStart = spans[at] ?? 0;
      if (!this.isNamed(at, names)) {
        if (runStart < 0) runStart = nameStart;
      } else if (runStart >= 0) {
        lines += this.text.substring(runStart, nameStart);
        runStart = -1;
      }
    }
    // Behind the last line stands the empty one.
    return runStart < 0 ? lines : lines + this.text.substring(runStart, this.text.length - 2);
  }

  /** Names in lower case and values in turn, but for those of some names. */
  listWithout(names: FieldNames): string[] {
    const list: string[] = [];
    for (let at = 0; at < this.spans.length; at += 4) {
      if (!this.isNamed(at, names)) list.push(this.nameAt(at), this.valueAt(at));
    }
    return list;
  }

  /** Where in `spans`, from `at` on, the next field of that name stands; -1 if nowhere. */
  private find(name: string, at: number): number {
    const { spans, text } = this;
    for (; at < spans.length; at += 4) {
      const start = spans[at] ?? 0;
      if ((spans[at + 1] ?? 0) - start === name.length && textEqualsIgnoringCase(text, start, name)) return at;
    }
    return -1;
  }

  private isNamed(at: number, names: FieldNames): boolean {
    const start = this.spans[at] ?? 0;
    const end = this.spans[at + 1] ?? 0;
    if (names.hasUnplain && !isPlainName(this.text, start, end)) return true;
    const candidates = names.ofLength(end - start);
    // Many of one length are the peer's own, from its field `connection`: to compare each with each field would take
    // quadratic time.
    if (candidates.length > maxCompared) return names.has(this.nameAt(at));
    for (const name of candidates) if (textEqualsIgnoringCase(this.text, start, name)) return true;
    return false;
  }

  private nameAt(at: number): string {
    return this.text.substring(this.spans[at] ?? 0, this.spans[at + 1] ?? 0).toLowerCase();
  }

  protected valueAt(at: number): string {
    return this.text.substring(this.spans[at + 2] ?? 0, this.spans[at + 3] ?? 0);
  }
}

/** Names that are not passed on, and those that the field `connection` adds to them (RFC 9110 7.6.1). */
export function withoutConnection(fields: Pick<Fields, "get">, names: FieldNames): FieldNames {
  const options = fields.get("connection");
  if (options === undefined || options === "keep-alive" || options === "close") return names;
  const others = listMembers(options.toLowerCase()).filter((option) => !names.has(option));
  return others.length === 0 ? names : names.with(others);
}

/** Are the bytes from `start` on the text, by letter case or not? The text may have capitals too. */
export function equalsIgnoringCase(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (lowerCase[bytes[start + i] ?? 0] !== lowerCase[text.charCodeAt(i)]) return false;
  }
  return true;
}

/** A decimal number of bytes, at most 2^53 - 1; `undefined` for anything else. */
export function readLength(bytes: Buffer, start: number, end: number): number | undefined {
  if (start === end || end - start > 16) return undefined;
  let length = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
  }
  return length <= Number.MAX_SAFE_INTEGER ? length : undefined;
}

/** The same for a text of bytes. */
function textEqualsIgnoringCase(text: string, start: number, other: string): boolean {
  for (let i = 0; i < other.length; i++) {
    if (lowerCase[text.charCodeAt(start + i)] !== lowerCase[other.charCodeAt(i)]) return false;
  }
  return true;
}

/** Of the engine's own names, no more have one length. */
const maxCompared = 8;
