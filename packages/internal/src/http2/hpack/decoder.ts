// Reads header blocks (RFC 7541 sections 3 and 6).
//
// Fields become text at once: those in the tables are text already, and are most of them. What a block holds beyond the
// limits is read on and dropped, because the table changes with it.

import { Buffer } from "node:buffer";
import type { HeadLimits } from "../../http/head-limits.ts";
import { decodeHuffman, maxDecodedSize } from "./huffman.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { nameFault, nameFaultOf, neverIndexedFields, valueFault, type HeaderField } from "./header-field.ts";
import { staticCount, staticFields } from "./static-table.ts";

/** What was in a header block. */
export interface DecodedBlock {
  /** Names and values in turn. */
  readonly list: string[];
  /** There was more than the limits allow; it has been left out. */
  isTooLarge: boolean;
  /** Why a message with these fields is malformed. */
  fault: string | undefined;
  /** Names of fields that no intermediary may index (RFC 7541 6.2.3), but for those that we never do. */
  neverIndexed?: Set<string>;
}

export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxTableSize: number;
  #bytes: Buffer = noBytes;
  #at = 0;
  #end = 0;
  /** The fault of the literal that was read last. */
  #fault: string | undefined;

  /** `maxTableSize`: what our SETTINGS_HEADER_TABLE_SIZE says, in bytes. */
  constructor(maxTableSize = defaultTableSize) {
    this.#maxTableSize = maxTableSize;
    this.#table = new DynamicTable(maxTableSize);
  }

  /** Two equal blocks mean the same fields if this has not changed between them, nor by the first of them. */
  get generation(): number {
    return this.#table.generation;
  }

  /** In bytes, as it stands now. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Reads a whole block. `undefined`: it is broken, and so is the connection, because nobody knows what the table is
   * now (RFC 9113 4.3).
   */
  decode(bytes: Buffer, start: number, end: number, limits: HeadLimits): DecodedBlock | undefined {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const block: DecodedBlock = { list: [], isTooLarge: false, fault: undefined };
    let size = 0;
    if (!this.#readSizeChanges()) return undefined;
    while (this.#at < end) {
      const isNeverIndexed = ((bytes[this.#at] ?? 0) & 0xf0) === 0x10;
      const field = this.#readField();
      if (field === undefined) return undefined;
      block.fault ??= field.fault;
      if (isNeverIndexed && !neverIndexedFields.has(field.name)) (block.neverIndexed ??= new Set()).add(field.name);
      size += field.name.length + field.value.length + 4;
      if (size > limits.maxHeadSize || block.list.length >= limits.maxFields * 2) block.isTooLarge = true;
      else block.list.push(field.name, field.value);
    }
    this.#bytes = noBytes;
    return block;
  }

  /**
   * Changes of the table's size, which stand at the start of a block only, and of which two may make sense (RFC 7541
   * 4.2).
   */
  #readSizeChanges(): boolean {
    for (let changes = 0; this.#at < this.#end && ((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20; changes++) {
      const size = this.#readInteger(0x1f);
      if (size < 0 || size > this.#maxTableSize || changes === 2) return false;
      this.#table.maxSize = size;
    }
    return true;
  }

  #readField(): HeaderField | undefined {
    const first = this.#bytes[this.#at] ?? 0;
    // 1xxxxxxx: a field of a table
    if (first >= 0x80) {
      const index = this.#readInteger(0x7f);
      return index > staticCount ? this.#table.get(index) : index > 0 ? staticEntries[index - 1] : undefined;
    }
    // 01xxxxxx: a literal that is added to the table; 0000xxxx and 0001xxxx: one that is not, or must never be
    const isAdded = first >= 0x40;
    if (!isAdded && first >= 0x20) return undefined;
    const index = this.#readInteger(isAdded ? 0x3f : 0x0f);
    if (index < 0) return undefined;
    let name: string | undefined;
    let fault: string | undefined;
    if (index === 0) {
      name = this.#readText(nameFault);
      fault = this.#fault;
    } else {
      const named = index > staticCount ? this.#table.get(index) : staticEntries[index - 1];
      name = named?.name;
      fault = named && nameFaultOf(named);
    }
    if (name === undefined) return undefined;
    const value = this.#readText(valueFault);
    if (value === undefined) return undefined;
    const field: HeaderField = { name, value, fault: fault ?? this.#fault };
    if (isAdded) this.#table.add(field);
    return field;
  }

  /**
   * RFC 7541 5.1; `mask` has the bits of the first byte that count. -1: it is cut off, or larger than any use of it.
   */
  #readInteger(mask: number): number {
    let value = (this.#bytes[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) return -1;
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** RFC 7541 5.2. Leaves what is wrong with the text in `#fault`. */
  #readText(faultOf: (bytes: Uint8Array, start: number, end: number) => string | undefined): string | undefined {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    if (this.#at >= this.#end) return undefined;
    const size = this.#readInteger(0x7f);
    const start = this.#at;
    if (size < 0 || size > this.#end - start) return undefined;
    this.#at = start + size;
    if (!isHuffman) {
      this.#fault = faultOf(this.#bytes, start, this.#at);
      return this.#bytes.toString("latin1", start, this.#at);
    }
    const room = maxDecodedSize(size);
    const into = room <= scratch.length ? scratch : Buffer.allocUnsafe(room);
    const decodedSize = decodeHuffman(this.#bytes, start, this.#at, into);
    if (decodedSize < 0) return undefined;
    this.#fault = faultOf(into, 0, decodedSize);
    return into.toString("latin1", 0, decodedSize);
  }
}

const staticEntries: readonly HeaderField[] = staticFields.map(([name, value]) => ({ name, value, fault: undefined }));

/** RFC 9113 6.5.2. */
export const defaultTableSize = 4096;

const noBytes = Buffer.alloc(0);
/** Where strings are decoded, unless they are longer. */
const scratch = Buffer.allocUnsafeSlow(8192);
