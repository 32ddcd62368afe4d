// The header fields of a response while it is made: names in lower case and values in turn, each checked.

import { HemiError } from "../errors/hemi-error.ts";

/** Adds to, replaces in, and asks a list of fields. */
export class FieldList {
  /** Given by `setAllTrusted`, and shared with other answers: never changed, but copied to `#own` before that. */
  #shared: readonly string[] = noFields;
  #own: string[] | undefined;

  /** As a codec takes it. Where nothing was added to what `setAllTrusted` was given, it is that very list. */
  get list(): readonly string[] {
    return this.#own ?? this.#shared;
  }

  get(name: string): string | undefined {
    const { list } = this;
    if (list.length === 0) return undefined;
    const wanted = name.toLowerCase();
    for (let i = 0; i < list.length; i += 2) if (list[i] === wanted) return list[i + 1];
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Takes the place of all fields of that name. */
  set(name: string, value: string | number): void {
    const checkedName = checkFieldName(name);
    const checkedValue = checkFieldValue(checkedName, value);
    const list = this.#writable();
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== checkedName) continue;
      list[i + 1] = checkedValue;
      this.#removeFrom(i + 2, checkedName);
      return;
    }
    list.push(checkedName, checkedValue);
  }

  /** Stands beside those of that name. */
  add(name: string, value: string | number): void {
    const checkedName = checkFieldName(name);
    const checkedValue = checkFieldValue(checkedName, value);
    this.#writable().push(checkedName, checkedValue);
  }

  /** A field of the engine's own, known to be right. */
  addTrusted(name: string, value: string): void {
    // Pushing to an empty array reserves room for 17; most answers have few fields.
    if (this.list.length === 0) this.#own = [name, value];
    else this.#writable().push(name, value);
  }

  /**
   * Fields of the engine's own, known to be right, names and values in turn. They take the place of those of their
   * names. Nobody may change the list afterwards.
   */
  setAllTrusted(fields: readonly string[]): void {
    // Most often they are the first ones: then no name is looked for, and nothing copied.
    if (this.list.length === 0) return this.replaceAll(fields);
    for (let i = 0; i < fields.length; i += 2) this.#removeFrom(0, fields[i] ?? "");
    const list = this.#writable();
    for (const text of fields) list.push(text);
  }

  /** As `setAllTrusted`, in place of all. */
  replaceAll(fields: readonly string[]): void {
    this.#shared = fields;
    this.#own = undefined;
  }

  remove(name: string): void {
    this.#removeFrom(0, name.toLowerCase());
  }

  clear(): void {
    this.replaceAll(noFields);
  }

  #writable(): string[] {
    return (this.#own ??= this.#shared.slice());
  }

  #removeFrom(start: number, name: string): void {
    let kept = start;
    // Most often there is none.
    while (kept < this.list.length && this.list[kept] !== name) kept += 2;
    if (kept >= this.list.length) return;
    const list = this.#writable();
    for (let i = kept; i < list.length; i += 2) {
      if (list[i] === name) continue;
      list[kept] = list[i] ?? "";
      list[kept + 1] = list[i + 1] ?? "";
      kept += 2;
    }
    list.length = kept;
  }
}

const noFields: readonly string[] = [];

/**
 * Gives the name in lower case. Throws HEMI_BAD_FIELD for what is not a token, and for the fields that frame a message.
 */
export function checkFieldName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(lower)) {
    throw new HemiError("HEMI_BAD_FIELD", `${JSON.stringify(name)} cannot be the name of a header field`);
  }
  if (framingNames.has(lower)) {
    throw new HemiError("HEMI_BAD_FIELD", `the field ${lower} frames the message and is the engine's to set`);
  }
  if (knownNames.size < maxKnownNames) knownNames.set(name, lower);
  return lower;
}

/**
 * Throws HEMI_BAD_FIELD for a value with a line end or another byte that RFC 9110 5.5 forbids: it could forge fields.
 */
export function checkFieldValue(name: string, value: string | number): string {
  const text = typeof value === "string" ? value : String(value);
  if (typeof value !== "string" && typeof value !== "number") {
    throw new HemiError("HEMI_BAD_FIELD", `the value of the field ${name} is text or a number, not ${text}`);
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
    throw new HemiError(
      "HEMI_BAD_FIELD",
      `the value of the field ${name} holds a character that it may not hold: ${JSON.stringify(text)}`,
    );
  }
  return text;
}

/** Names that were found good, as written; most programs use a few dozen. */
const knownNames = new Map<string, string>();
const maxKnownNames = 1000;

/** What belongs to one connection and one HTTP version (RFC 9110 7.6.1), or tells the content's length. */
const framingNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
