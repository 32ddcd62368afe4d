// Writes field sections for a peer (RFC 9204 sections 2.1, 4.4 and 4.5).
//
// A field that has come twice is put into the dynamic table of the peer, for as long as there is room: entries never
// leave. A section refers only to entries that the peer has acknowledged, so that we never block one of its streams.
//
// Short fields stay literals: the peer acknowledges each section that refers to its table, in packets that cost both
// sides more than a few bytes in a packet that is sent anyway.

import { neverIndexedFields, sizeInTable } from "@hemi/internal";
import { DecoderStream } from "./decoder-stream.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { integer, writeInteger, writeText } from "./prefix-writer.ts";
import { staticFields } from "./static-table.ts";

/** The dynamic table of a peer, as far as we fill it. */
class PeerTable {
  /** How many entries the peer's table can have at most. */
  readonly maxEntries: number;
  readonly fields = new DynamicTable();
  /** By name, then by value: absolute indexes. */
  readonly indexes = new Map<string, Map<string, number>>();
  /** Fields that came once, of late. */
  readonly seen = new Set<string>();

  constructor(maxEntries: number, capacity: number) {
    this.maxEntries = maxEntries;
    this.fields.capacity = capacity;
  }
}

export class QpackEncoder {
  readonly #send: (instruction: Buffer) => void;
  /** `undefined`: the peer has none. */
  #peer: PeerTable | undefined;
  /** Made when something is on it, or may have to come. */
  #decoderStream: DecoderStream | undefined;

  /** `send`: sends instructions on our encoder stream. */
  constructor(send: (instruction: Buffer) => void) {
    this.#send = send;
  }

  /** The peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY, in bytes. */
  limitTable(maxCapacity: number): void {
    const capacity = Math.min(maxCapacity, maxOwnCapacity);
    if (capacity < 32) return;
    this.#peer = new PeerTable(Math.floor(maxCapacity / 32), capacity);
    this.#send(integer(0x20, 0x1f, capacity));
  }

  /** Bytes of the peer's decoder stream. Throws QPACK_DECODER_STREAM_ERROR. */
  acknowledged(bytes: Buffer): void {
    this.#acknowledgments().push(bytes);
  }

  #acknowledgments(): DecoderStream {
    return (this.#decoderStream ??= new DecoderStream(() => this.#peer?.fields.inserted ?? 0));
  }

  /**
   * A section of names and values in turn. Its bytes are used again for the next section. `neverIndexed`: names of
   * fields that are to stay so, beside secrets.
   */
  encode(streamId: number, fieldList: readonly string[], neverIndexed?: ReadonlySet<string>): Buffer {
    const bytes = roomFor(fieldList);
    const peer = this.#peer;
    const known = this.#decoderStream?.canTrack(streamId) === true ? this.#decoderStream.knownInserts : 0;
    let required = 0;
    let at = maxPrefix;
    for (let i = 0; i < fieldList.length; i += 2) {
      const name = fieldList[i] ?? "";
      const value = fieldList[i + 1] ?? "";
      const isNever = neverIndexed?.has(name) === true || neverIndexedFields.has(name);
      const index = isNever ? undefined : peer?.indexes.get(name)?.get(value);
      if (index !== undefined && index < known) {
        at = writeInteger(0x80, 0x3f, known - index - 1, bytes, at);
        required = Math.max(required, index + 1);
        continue;
      }
      at = writeField(name, value, isNever, bytes, at);
      if (peer !== undefined && !isNever && index === undefined) this.#consider(peer, name, value);
    }
    if (required > 0) this.#decoderStream?.track(streamId);
    const start = writeSectionPrefix(bytes, required, known, peer?.maxEntries ?? 0);
    return bytes.subarray(start, at);
  }

  /** Inserts a field that has come before, if there is room. */
  #consider({ fields, indexes, seen }: PeerTable, name: string, value: string): void {
    const { capacity, size } = fields;
    if (rarelyRepeated.has(name)) return;
    const named = staticIndexes.get(name);
    if (value.length + (named === undefined ? name.length : 0) < minInserted) return;
    if (named?.values.has(value) === true) return;
    const field = { name, value, fault: undefined };
    const needed = sizeInTable(field);
    if (needed > capacity >>> 2 || size + needed > capacity) return;
    const key = `${name}\0${value}`;
    if (!seen.delete(key)) {
      if (seen.size >= maxSeen) seen.clear();
      seen.add(key);
      return;
    }
    const values = indexes.get(name) ?? new Map<string, number>();
    indexes.set(name, values.set(value, fields.inserted));
    fields.insert(field);
    const bytes = Buffer.alloc(name.length + value.length + 24);
    const at =
      named === undefined ? writeText(0x40, 0x1f, name, bytes, 0) : writeInteger(0xc0, 0x3f, named.first, bytes, 0);
    this.#send(bytes.subarray(0, writeText(0x00, 0x7f, value, bytes, at)));
  }
}

/** RFC 9204 4.5.1: it stands before the fields, which begin at `maxPrefix`. Returns where it begins. */
function writeSectionPrefix(bytes: Buffer, required: number, base: number, maxEntries: number): number {
  if (required === 0) {
    bytes[maxPrefix - 2] = 0;
    bytes[maxPrefix - 1] = 0;
    return maxPrefix - 2;
  }
  const at = writeInteger(0x00, 0xff, (required % (2 * maxEntries)) + 1, prefix, 0);
  const size = writeInteger(0x00, 0x7f, base - required, prefix, at);
  prefix.copy(bytes, maxPrefix - size, 0, size);
  return maxPrefix - size;
}

/** A field by the static table, or as a literal. */
function writeField(name: string, value: string, isNever: boolean, bytes: Buffer, at: number): number {
  const named = staticIndexes.get(name);
  const index = isNever ? undefined : named?.values.get(value);
  if (index !== undefined) return writeInteger(0xc0, 0x3f, index, bytes, at);
  at =
    named === undefined
      ? writeText(isNever ? 0x30 : 0x20, 0x07, name, bytes, at)
      : writeInteger(isNever ? 0x70 : 0x50, 0x0f, named.first, bytes, at);
  return writeText(0x00, 0x7f, value, bytes, at);
}

function roomFor(fieldList: readonly string[]): Buffer {
  let room = maxPrefix;
  for (let i = 0; i < fieldList.length; i += 2)
    room += (fieldList[i] ?? "").length + (fieldList[i + 1] ?? "").length + 24;
  return room <= scratch.length ? scratch : Buffer.allocUnsafe(room);
}

/** Where a name stands first in the static table, and where with which value. */
const staticIndexes = new Map<string, { readonly first: number; readonly values: Map<string, number> }>();
for (const [i, [name, value]] of staticFields.entries()) {
  const known = staticIndexes.get(name) ?? { first: i, values: new Map<string, number>() };
  known.values.set(value, i);
  staticIndexes.set(name, known);
}

/** Most answers have a value of their own: in the table they would only take room. */
const rarelyRepeated: ReadonlySet<string> = new Set([
  ":path",
  "age",
  "content-length",
  "content-range",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
]);

/** Of the peer's table, in bytes; more is not made use of. */
const maxOwnCapacity = 4096;
const maxSeen = 64;
/** What a reference saves at least, in characters. */
const minInserted = 32;
const maxPrefix = 20;
const prefix = Buffer.alloc(maxPrefix);
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
