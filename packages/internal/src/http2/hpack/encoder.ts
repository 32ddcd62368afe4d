// Writes header blocks (RFC 7541 section 6).

import { defaultTableSize } from "./decoder.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { neverIndexedFields } from "./header-field.ts";
import { huffmanSize, writeHuffman } from "./huffman.ts";
import { staticFields } from "./static-table.ts";

export class HpackEncoder {
  readonly #table = new DynamicTable(defaultTableSize);
  /**
   * What the other side must be told before the next field: the least that the size was meanwhile, and what it is now.
   */
  #leastSize = defaultTableSize;
  #isSizeToldDue = false;
  #neverIndexed: ReadonlySet<string> | undefined;

  /** A block that was written while this stayed the same may be sent again. */
  get generation(): number {
    return this.#table.generation;
  }

  /** In bytes, as it stands now. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** The other side's SETTINGS_HEADER_TABLE_SIZE, in bytes. More than the default is not made use of. */
  limitTable(size: number): void {
    const limit = Math.min(size, defaultTableSize);
    if (limit === this.#table.maxSize) return;
    this.#leastSize = this.#isSizeToldDue ? Math.min(this.#leastSize, limit) : limit;
    this.#table.maxSize = limit;
    this.#table.generation++;
    this.#isSizeToldDue = true;
  }

  /**
   * Begins a block at `at`; returns where its fields begin. Needs up to 8 bytes. `neverIndexed`: names of fields that
   * are to stay so, beside secrets.
   */
  begin(bytes: Uint8Array, at: number, neverIndexed?: ReadonlySet<string>): number {
    this.#neverIndexed = neverIndexed;
    if (!this.#isSizeToldDue) return at;
    this.#isSizeToldDue = false;
    this.#table.generation++;
    if (this.#leastSize < this.#table.maxSize) at = writeInteger(0x20, 0x1f, this.#leastSize, bytes, at);
    return writeInteger(0x20, 0x1f, this.#table.maxSize, bytes, at);
  }

  /** Writes a field at `at`; returns where it ends. Needs up to `maxFieldSize` bytes. */
  write(name: string, value: string, bytes: Uint8Array, at: number): number {
    const known = staticNames.get(name);
    if (this.#neverIndexed?.has(name) === true) {
      return writeLiteral(0x10, 0x0f, known?.first ?? 0, name, value, bytes, at);
    }
    const inStatic = known?.values.get(value);
    if (inStatic !== undefined) return writeInteger(0x80, 0x7f, inStatic, bytes, at);
    if (neverIndexedFields.has(name)) return writeLiteral(0x10, 0x0f, known?.first ?? 0, name, value, bytes, at);
    if (rarelyRepeated.has(name)) return writeLiteral(0x00, 0x0f, known?.first ?? 0, name, value, bytes, at);
    const found = this.#table.find(name, value);
    if (found > 0) return writeInteger(0x80, 0x7f, found, bytes, at);
    const nameIndex = known?.first ?? -found;
    const size = name.length + value.length + 32;
    if (size > this.#table.maxSize >>> 2) return writeLiteral(0x00, 0x0f, nameIndex, name, value, bytes, at);
    const end = writeLiteral(0x40, 0x3f, nameIndex, name, value, bytes, at);
    this.#table.add({ name, value, fault: undefined });
    return end;
  }
}

/** How many bytes a field takes at most. */
export function maxFieldSize(name: string, value: string): number {
  return name.length + value.length + 16;
}

/** Where in the static table a name stands first, and where with which value. */
const staticNames = new Map<string, { readonly first: number; readonly values: Map<string, number> }>();
for (const [i, [name, value]] of staticFields.entries()) {
  const known = staticNames.get(name) ?? { first: i + 1, values: new Map<string, number>() };
  if (value !== "") known.values.set(value, i + 1);
  staticNames.set(name, known);
}

/** Most answers have a value of their own: in the table they would drive out what does repeat. */
const rarelyRepeated: ReadonlySet<string> = new Set([
  ":path",
  "age",
  "content-length",
  "content-range",
  "etag",
  "expires",
  "last-modified",
  "location",
]);

function writeLiteral(
  kind: number,
  mask: number,
  nameIndex: number,
  name: string,
  value: string,
  bytes: Uint8Array,
  at: number,
): number {
  at = writeInteger(kind, mask, nameIndex, bytes, at);
  if (nameIndex === 0) at = writeText(name, bytes, at);
  return writeText(value, bytes, at);
}

/** RFC 7541 5.2: in the Huffman code if that is shorter. */
function writeText(text: string, bytes: Uint8Array, at: number): number {
  const size = huffmanSize(text);
  if (size < text.length) return writeHuffman(text, bytes, writeInteger(0x80, 0x7f, size, bytes, at));
  at = writeInteger(0x00, 0x7f, text.length, bytes, at);
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** RFC 7541 5.1, behind the bits of `kind`. */
function writeInteger(kind: number, mask: number, value: number, bytes: Uint8Array, at: number): number {
  if (value < mask) {
    bytes[at++] = kind | value;
    return at;
  }
  bytes[at++] = kind | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
