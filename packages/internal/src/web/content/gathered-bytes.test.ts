import fc from "fast-check";
import { expect, test } from "vitest";
import { GatheredBytes } from "./gathered-bytes.ts";

test("nothing gives nothing, and one piece itself", () => {
  const gathered = new GatheredBytes();
  expect(gathered.bytes()).toHaveLength(0);
  const piece = Buffer.from("only");
  gathered.add(piece);
  expect(gathered.bytes()).toBe(piece);
});

test("pieces of any sizes stand one behind the other", () => {
  const size = fc.oneof(fc.nat(5), fc.nat(2000), fc.nat(70_000), fc.constantFrom(0, 16 * 1024, 64 * 1024));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
      const gathered = new GatheredBytes();
      const pieces = sizes.map((size, i) => Buffer.alloc(size, i + 1));
      for (const piece of pieces) gathered.add(piece);
      expect(Buffer.compare(gathered.bytes(), Buffer.concat(pieces))).toBe(0);
      expect(gathered.size).toBe(Buffer.concat(pieces).length);
    }),
    { numRuns: 200 },
  );
});

test("small pieces are copied together, large ones kept as they came", () => {
  const gathered = new GatheredBytes();
  const pieces = [1, 1, 20_000, 1, 30_000].map((size) => Buffer.alloc(size, 1));
  for (const piece of pieces) gathered.add(piece);
  for (const piece of pieces) piece.fill(2);
  const bytes = gathered.bytes();
  expect([0, 1, 2, 20_001, 20_002, 20_003].map((at) => bytes[at])).toEqual([1, 1, 2, 2, 1, 2]);
});
