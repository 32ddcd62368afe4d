// The field lines of an HTTP/1 head, lying in the bytes that they came in: offsets, decoded when asked for.

import type { FieldNames } from "./field-names.ts";
import { joinValues, type Fields } from "./fields.ts";
import { isPlainNameByte, lowerCase } from "./bytes.ts";
import { listMembers } from "./list-members.ts";

/**
 * What heads of requests and of responses have in common. Whoever reads a head fills in `end` and `spans`.
 *
 * Its constructor sets plain properties: V8 constructs a base class that has fields or private methods by a slow call.
 */
export class FieldLines implements Fields {
  declare readonly bytes: Buffer;
  /** Where the head begins and where the content begins. */
  declare readonly start: number;
  declare end: number;
  /** For each field line: where its name starts and ends, where its value starts and ends. */
  declare readonly spans: number[];
  declare private text: string | undefined;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = 0;
    this.spans = [];
    this.text = undefined;
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

  /** Text between two positions of the input. */
  slice(start: number, end: number): string {
    this.text ??= this.bytes.toString("latin1", this.start, this.end);
    return this.text.substring(start - this.start, end - this.start);
  }

  /**
   * The field lines as they came, but for those of some names. Lines that follow each other are cut out in one piece.
   */
  linesWithout(names: FieldNames): string {
    const { spans } = this;
    let lines = "";
    let runStart = -1;
    for (let at = 0; at < spans.length; at += 4) {
      const nameStart = spans[at] ?? 0;
      if (!this.isNamed(at, names)) {
        if (runStart < 0) runStart = nameStart;
      } else if (runStart >= 0) {
        lines += this.slice(runStart, nameStart);
        runStart = -1;
      }
    }
    // Behind the last line stands the empty one.
    return runStart < 0 ? lines : lines + this.slice(runStart, this.end - 2);
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
    const { spans, bytes } = this;
    for (; at < spans.length; at += 4) {
      const start = spans[at] ?? 0;
      if ((spans[at + 1] ?? 0) - start === name.length && equalsIgnoringCase(bytes, start, name)) return at;
    }
    return -1;
  }

  private isNamed(at: number, names: FieldNames): boolean {
    const start = this.spans[at] ?? 0;
    const end = this.spans[at + 1] ?? 0;
    if (names.hasUnplain && !isPlainName(this.bytes, start, end)) return true;
    const candidates = names.ofLength(end - start);
    // Many of one length are the peer's own, from its field `connection`: to compare each with each field would take
    // quadratic time.
    if (candidates.length > maxCompared) return names.has(this.nameAt(at));
    for (const name of candidates) if (equalsIgnoringCase(this.bytes, start, name)) return true;
    return false;
  }

  private nameAt(at: number): string {
    return this.slice(this.spans[at] ?? 0, this.spans[at + 1] ?? 0).toLowerCase();
  }

  private valueAt(at: number): string {
    return this.slice(this.spans[at + 2] ?? 0, this.spans[at + 3] ?? 0);
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

/** Whether a name has letters, digits and hyphens only. */
function isPlainName(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (isPlainNameByte[bytes[at] ?? 0] !== 1) return false;
  return true;
}

/** Of the engine's own names, no more have one length. */
const maxCompared = 8;
