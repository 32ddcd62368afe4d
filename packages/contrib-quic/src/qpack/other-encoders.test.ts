// What encoders of others may write and ours does not: names of the table, entries behind the base, duplicates, changes
// of the capacity, inserts that come after the section that needs them. A model of the table says what it means.

import type { HeadLimits } from "@hemi/internal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { QpackDecoder } from "./decoder.ts";
import { integer, writeText } from "./prefix-writer.ts";
import { staticFields } from "./static-table.ts";

const limits: HeadLimits = { maxHeadSize: 16 * 1024, maxFields: 100 };
/** For ten entries at most: the number of inserts that a section needs is soon sent modulo twice that. */
const maxCapacity = 320;

type Field = readonly [name: string, value: string];

/** The table as the peer's encoder has it, with the instructions that make it so. */
class PeerTable {
  readonly entries: Field[] = [];
  capacity = 0;
  instructions: Buffer[] = [];
  #dropped = 0;

  /** Absolute indices of those that are still there. */
  get alive(): number[] {
    return [...this.entries.keys()].slice(this.#dropped);
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity;
    this.#makeRoom(0);
    this.instructions.push(integer(0x20, 0x1f, capacity));
  }

  /** With the instruction for it, unless it is larger than the table. */
  insert(field: Field, instruction: () => Buffer): void {
    const size = sizeOf(field);
    if (size > this.capacity) return;
    this.instructions.push(instruction());
    this.#makeRoom(size);
    this.entries.push(field);
  }

  #makeRoom(size: number): void {
    const taken = (): number => this.alive.reduce((sum, at) => sum + sizeOf(this.entries[at] ?? ["", ""]), 0);
    while (this.alive.length > 0 && taken() + size > this.capacity) this.#dropped++;
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + 32;
}

function text(bits: number, mask: number, text: string): Buffer {
  const bytes = Buffer.alloc(text.length * 4 + 10);
  return bytes.subarray(0, writeText(bits, mask, text, bytes, 0));
}

const name = fc.constantFrom("x-a", "x-b", "a-longer-name-of-a-field");
const value = fc.oneof(
  fc.constantFrom("", "b", "|||"),
  fc.string({ unit: fc.constantFrom("a", "~", "|"), maxLength: 60 }),
);
const staticIndex = fc.constantFrom(0, 15, 24, 62, 63, 98);

const instruction = fc.record({
  kind: fc.constantFrom("literal", "literal", "static name", "dynamic name", "duplicate", "capacity"),
  ...{ name, value, staticIndex, which: fc.nat(), capacity: fc.constantFrom(0, 40, 100, 320, 320, 320) },
});
const field = fc.record({
  kind: fc.constantFrom("static", "dynamic", "dynamic", "dynamic", "static name", "dynamic name", "literal"),
  ...{ name, value, staticIndex, which: fc.nat(), isNeverIndexed: fc.boolean() },
});
const section = fc.record({
  instructions: fc.array(instruction, { maxLength: 4 }),
  fields: fc.array(field, { maxLength: 6 }),
  base: fc.double({ min: 0, max: 1.2, noNaN: true }),
  streamId: fc.constantFrom(0, 4, 124, 128, 4_000_000_000),
});
type Instruction = typeof instruction extends fc.Arbitrary<infer T> ? T : never;
type Section = typeof section extends fc.Arbitrary<infer T> ? T : never;

function follow(table: PeerTable, { kind, name, value, staticIndex, which, capacity }: Instruction): void {
  const { alive } = table;
  const at = alive[which % alive.length];
  const entry = at === undefined ? undefined : table.entries[at];
  const relative = table.entries.length - 1 - (at ?? 0);
  const staticName = staticFields[staticIndex]?.[0] ?? "";
  if (kind === "capacity") table.setCapacity(capacity);
  else if (kind === "static name")
    table.insert([staticName, value], () => Buffer.concat([integer(0xc0, 0x3f, staticIndex), text(0, 0x7f, value)]));
  else if (kind === "literal" || entry === undefined)
    table.insert([name, value], () => Buffer.concat([text(0x40, 0x1f, name), text(0, 0x7f, value)]));
  else if (kind === "duplicate") table.insert(entry, () => integer(0x00, 0x1f, relative));
  else table.insert([entry[0], value], () => Buffer.concat([integer(0x80, 0x3f, relative), text(0, 0x7f, value)]));
}

/** The section as bytes, what is in it, and how many inserts it needs. */
function write(table: PeerTable, { fields, base: share }: Section) {
  const { entries, alive } = table;
  const base = Math.floor(share * entries.length);
  let required = 0;
  const list: Field[] = [];
  const neverIndexed = new Set<string>();
  const parts = fields.map(({ kind, name, value, staticIndex, which, isNeverIndexed }) => {
    const known = staticFields[staticIndex] ?? ["", ""];
    const at = alive[which % alive.length];
    const entry = at === undefined ? undefined : entries[at];
    if (kind === "static") {
      list.push([known[0], known[1]]);
      return integer(0xc0, 0x3f, staticIndex);
    }
    const isOfTable = at !== undefined && entry !== undefined;
    if (isOfTable && kind.startsWith("dynamic")) required = Math.max(required, at + 1);
    if (isOfTable && kind === "dynamic") {
      list.push(entry);
      return at < base ? integer(0x80, 0x3f, base - at - 1) : integer(0x10, 0x0f, at - base);
    }
    const isByStatic = kind === "static name";
    const isByDynamic = kind === "dynamic name" && isOfTable;
    const own = isByStatic ? known[0] : isByDynamic ? entry[0] : name;
    list.push([own, value]);
    if (isNeverIndexed) neverIndexed.add(own);
    const n = (bit: number): number => (isNeverIndexed ? bit : 0);
    let head = text(0x20 | n(0x10), 0x07, name);
    if (isByStatic) head = integer(0x50 | n(0x20), 0x0f, staticIndex);
    else if (isByDynamic)
      head = at < base ? integer(0x40 | n(0x20), 0x0f, base - at - 1) : integer(n(0x08), 0x07, at - base);
    return Buffer.concat([head, text(0, 0x7f, value)]);
  });
  const encoded = required === 0 ? 0 : (required % (2 * Math.floor(maxCapacity / 32))) + 1;
  const delta = base >= required ? integer(0x00, 0x7f, base - required) : integer(0x80, 0x7f, required - base - 1);
  return { bytes: Buffer.concat([integer(0, 0xff, encoded), delta, ...parts]), list, neverIndexed, required };
}

/** A section of one entry, which may have left the table. */
function referTo({ entries }: PeerTable, at: number): Buffer {
  const encoded = (entries.length % (2 * Math.floor(maxCapacity / 32))) + 1;
  return Buffer.concat([integer(0, 0xff, encoded), Buffer.of(0), integer(0x80, 0x3f, entries.length - at - 1)]);
}

test("whatever an encoder may write is read as it means it, and acknowledged; what has left the table is not found", () => {
  fc.assert(
    fc.property(fc.array(section, { maxLength: 12 }), (sections) => {
      const table = new PeerTable();
      table.setCapacity(maxCapacity);
      const sent: string[] = [];
      const decoder = new QpackDecoder({ maxCapacity, send: (bytes) => sent.push(bytes.toString("hex")) });
      let told = 0;
      for (const section of sections) {
        const before = table.entries.length;
        for (const one of section.instructions) follow(table, one);
        const { bytes, list, neverIndexed, required } = write(table, section);
        expect(decoder.isBlocked(bytes)).toBe(required > before);
        decoder.instructed(Buffer.concat(table.instructions.splice(0)));
        expect(decoder.isBlocked(bytes)).toBe(false);
        const block = decoder.decode(section.streamId, bytes, limits);
        expect(block.list).toEqual(list.flat());
        expect(block.neverIndexed ?? new Set()).toEqual(neverIndexed);
        expect(sent.splice(0)).toEqual(required === 0 ? [] : [integer(0x80, 0x7f, section.streamId).toString("hex")]);
        told = Math.max(told, required);
        decoder.acknowledgeInserts();
        const more = table.entries.length - told;
        expect(sent.splice(0)).toEqual(more === 0 ? [] : [integer(0x00, 0x3f, more).toString("hex")]);
        told = table.entries.length;
        for (const evicted of [...table.entries.keys()].slice(0, -table.alive.length || undefined))
          expect(() => decoder.decode(0, referTo(table, evicted), limits)).toThrow("cannot be read");
      }
    }),
    { numRuns: 150, seed: 1 },
  );
});

test("a section is read up to the limits, each to the byte", () => {
  const decoder = new QpackDecoder({ maxCapacity, send: () => {} });
  // A name of 3 bytes and a value of 1 count 8.
  const section = Buffer.concat([
    Buffer.of(0, 0),
    ...["1", "2", "3"].map((value) => Buffer.concat([text(0x20, 0x07, "x-a"), text(0, 0x7f, value)])),
  ]);
  expect(decoder.decode(0, section, { maxHeadSize: 24, maxFields: 3 })).toMatchObject({ isTooLarge: false });
  const small = decoder.decode(0, section, { maxHeadSize: 23, maxFields: 3 });
  expect(small).toMatchObject({ isTooLarge: true, list: ["x-a", "1", "x-a", "2"] });
  const few = decoder.decode(0, section, { maxHeadSize: 24, maxFields: 2 });
  expect(few).toMatchObject({ isTooLarge: true, list: ["x-a", "1", "x-a", "2"] });
});
