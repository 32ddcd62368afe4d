import fc from "fast-check";
import { expect, test } from "vitest";
import { readVarint, sizeOfVarint, varint } from "./varint.ts";

test.each([
  ["25", 37],
  ["7bbd", 15293],
  ["9d7f3e7d", 494878333],
  ["c000000100000000", 2 ** 32],
  ["4025", 37],
])("%s is %d, as RFC 9000 A.1 has it", (bytes, value) => {
  expect(readVarint(Buffer.from(bytes, "hex"), 0)).toBe(value);
});

test("what was written is read again, in as few bytes as there can be", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = varint(value);
      expect([readVarint(bytes, 0), bytes.length]).toEqual([value, sizeOfVarint(value)]);
      expect(readVarint(bytes.subarray(0, -1), 0)).toBe(-1);
    }),
  );
});
