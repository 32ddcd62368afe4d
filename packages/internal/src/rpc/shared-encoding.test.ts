// Messages that are written into memory that is used again: byte for byte what protobuf-es writes, or nothing.

import { create, ScalarType, toBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { protoMessage } from "@hemi/common/rpc-proto";
import { expect, test } from "vitest";
import { file_interop, SimpleRequestSchema, SimpleResponseSchema } from "../testing/rpc/interop_pb.ts";
import { BookSchema, file_library, FilterSchema, GetBookRequestSchema } from "../testing/rpc/library_pb.ts";

/** Both ways, of what is given. */
function encoded(desc: DescMessage, init: Record<string, unknown>) {
  const message = create(desc, init);
  const shared = protoMessage(desc).binary?.encodeShared?.(message);
  return { shared: shared && new Uint8Array(shared), whole: toBinary(desc, message) };
}

test.each([
  ["bytes", SimpleResponseSchema, { payload: { body: new Uint8Array(300).fill(7) }, username: "ünï" }],
  ["nothing", SimpleRequestSchema, {}],
  ["numbers and enums", BookSchema, { name: "a", pageCount: 2 ** 31 - 1, genre: 1 }],
  ["lists and messages in messages", GetBookRequestSchema, deep(3)],
  ["a text that is longer than its length was meant to be", BookSchema, { name: "x".repeat(70_000) }],
  ["half of a character", BookSchema, { name: "a\ud800b" }],
] as const)("a message with %s is written", (_what, desc, init) => {
  const { shared, whole } = encoded(desc, init);
  expect(shared).toEqual(whole);
});

function deep(depth: number): Record<string, unknown> {
  const tags = ["a", "", "ö".repeat(100)];
  const like = [{ name: "b".repeat(200), pageCount: 1 }, {}];
  const filter = { isNew: true, genre: 1, tags, like, ...(depth > 0 && { otherwise: deep(depth - 1) }) };
  return depth === 3 ? { name: "n", filter } : filter;
}

test.each([
  ["a number of 64 bits", FilterSchema, { maxPages: 5n }],
  ["a negative number", BookSchema, { pageCount: -1 }],
  ["a message of Google's", FilterSchema, { since: { seconds: 1n } }],
  ["a wrapper", FilterSchema, { lent: true }],
] as const)("a message with %s is left to protobuf-es", (_what, desc, init) => {
  expect(encoded(desc, init).shared).toBeUndefined();
});

test("fields that are unknown, and values that are wrong, are left to protobuf-es", () => {
  const { binary } = protoMessage(BookSchema);
  const book = create(BookSchema, { name: "a" });
  book.$unknown = [{ no: 99, wireType: WireType.Varint, data: Uint8Array.of(1) }];
  expect(binary?.encodeShared?.(book)).toBeUndefined();
  for (const wrong of [{ pageCount: 1.5 }, { pageCount: 2 ** 31 }, { pageCount: "1" }, { name: 5 }, { genre: null }]) {
    expect(binary?.encodeShared?.(Object.assign(create(BookSchema), wrong))).toBeUndefined();
  }
  expect(binary?.encodeShared?.(Object.assign(create(BookSchema), { pageCount: -0 }))).toBeUndefined();
  expect(binary?.encodeShared?.({ name: "no message" })).toBeUndefined();
});

test("a large message has memory of its own, which the next one leaves as it is", () => {
  const { binary } = protoMessage(BookSchema);
  const large = create(BookSchema, { name: "x".repeat(1_000_000) });
  const shared = binary?.encodeShared?.(large);
  binary?.encodeShared?.(create(BookSchema, { name: "yyyy" }));
  expect(shared).toEqual(toBinary(BookSchema, large));
  const small = binary?.encodeShared?.(create(BookSchema, { name: "z" }));
  expect(small?.buffer.byteLength).toBeLessThan(10_000);
});

test("memory may grow anywhere in a message", () => {
  const { binary } = protoMessage(FilterSchema);
  // A large message, after which memory is small again.
  const large = create(FilterSchema, { tags: ["y".repeat(1_000_000)] });
  const parts = [{ tags: "x" }, { tags: "\u20ac" }, { tags: "xy" }, { tags: "" }, { like: {} }, { like: { genre: 1 } }];
  for (const part of parts) {
    for (let before = 0; before < 16; before++) {
      const init = Object.entries(part).map(([name, value]) => [name, Array<unknown>(600).fill(value)] as const);
      const otherwise = Object.fromEntries(init);
      const message = create(FilterSchema, { isNew: true, otherwise: { tags: ["z".repeat(before)], otherwise } });
      binary?.encodeShared?.(large);
      expect(binary?.encodeShared?.(message)).toEqual(toBinary(FilterSchema, message));
    }
  }
});

test("whatever is written is what protobuf-es writes", () => {
  const descs = [...file_interop.messages, ...file_library.messages];
  let written = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const random = randomFrom(seed);
    const desc = descs[Math.floor(random() * descs.length)];
    if (desc === undefined) continue;
    const { shared, whole } = encoded(desc, initOf(desc, random, 3));
    if (shared === undefined) continue;
    written++;
    expect(shared, `${desc.typeName} of the seed ${seed}`).toEqual(whole);
  }
  expect(written).toBeGreaterThan(500);
});

function initOf(desc: DescMessage, random: () => number, depth: number): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  for (const field of desc.fields) {
    if (random() < 0.5) continue;
    if (field.oneof !== undefined)
      init[field.oneof.localName] = { case: field.localName, value: one(field, random, depth) };
    else if (field.fieldKind === "list") {
      init[field.localName] = Array.from({ length: Math.floor(random() * 4) }, () => one(field, random, depth));
    } else if (field.fieldKind !== "map") init[field.localName] = one(field, random, depth);
  }
  return init;
}

function one(field: DescField, random: () => number, depth: number): unknown {
  if (field.message !== undefined) {
    if (field.message.typeName.endsWith("Value")) return random() < 0.5;
    return depth > 0 ? initOf(field.message, random, depth - 1) : {};
  }
  if (field.enum !== undefined) return random() < 0.5 ? 0 : 1;
  switch (field.scalar) {
    case ScalarType.STRING:
      return "aö".repeat(Math.floor(random() * 100));
    case ScalarType.BYTES:
      return new Uint8Array(Math.floor(random() * 300)).fill(1);
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return random() - 0.5;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return random() < 0.5 ? 0n : 7n;
    default:
      return Math.floor(random() * 2 ** 31) * (random() < 0.1 ? -1 : 1);
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
