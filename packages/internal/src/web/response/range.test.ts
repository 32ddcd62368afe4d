import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentRangeOf, parseRanges } from "./range.ts";

describe("parseRanges", () => {
  test.each([
    ["bytes=0-0", [[0, 1]]],
    ["bytes=0-9", [[0, 10]]],
    ["bytes=2-5", [[2, 4]]],
    ["bytes=9-", [[9, 1]]],
    ["bytes=0-", [[0, 10]]],
    ["bytes=5-99999999999999999999999", [[5, 5]]],
    ["bytes=-1", [[9, 1]]],
    ["bytes=-10", [[0, 10]]],
    ["bytes=-99999999999999999999999", [[0, 10]]],
    ["Bytes=1-1", [[1, 1]]],
    ["bytes= 1-1 ", [[1, 1]]],
    ["bytes=,1-1,,", [[1, 1]]],
    [
      "bytes=0-1, 4-5,-1",
      [
        [0, 2],
        [4, 2],
        [9, 1],
      ],
    ],
    [
      "bytes=5-6,0-1,2-4",
      [
        [5, 2],
        [0, 2],
        [2, 3],
      ],
    ],
    ["bytes=0-1,10-", [[0, 2]]],
  ])("of 10 bytes, %s are these", (field, expected) => {
    expect(parseRanges(field, 10)).toEqual(expected.map(([offset, size]) => ({ offset, size })));
  });

  test.each(["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-", "bytes=10-,11-12", "bytes=-0,10-"])(
    "of 10 bytes, %s cannot be satisfied",
    (field) => {
      expect(parseRanges(field, 10)).toBe("unsatisfiable");
    },
  );

  test.each([
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=1",
    "bytes=a-b",
    "bytes=5-2",
    "bytes=0-1,5-2",
    "bytes=0-1,x",
    "bytes=0-1,0-1",
    "bytes=0-5,5-9",
    "bytes=8-,-3",
    "bytes=0-,1-1",
    "bytes=--1",
    "bytes=-1-2",
    "bytes=1 -2",
    "bytes=+1-2",
    "bytes=0x1-2",
    "bytes=1.5-2",
    "bytes =0-1",
    "items=0-1",
    "0-1",
    "bytes=" + "0-0,".repeat(16) + "0-0",
    "bytes=" + ",".repeat(100000) + "0-0",
  ])("ignores %j", (field) => {
    expect(parseRanges(field, 10)).toBeUndefined();
  });

  test("a field of 400 KB of spaces takes no time to speak of", () => {
    const spaces = " \t".repeat(200_000);
    expect(parseRanges(`bytes=${spaces}`, 10)).toBeUndefined();
    expect(parseRanges(`bytes=${spaces}x`, 10)).toBeUndefined();
    expect(parseRanges(`bytes=1-1${spaces}x`, 10)).toBeUndefined();
    expect(parseRanges(`bytes=${spaces}1-1${spaces},${spaces}`, 10)).toEqual([{ offset: 1, size: 1 }]);
  });

  test("takes as many ranges as it is told to", () => {
    expect(parseRanges("bytes=0-0,2-2,4-4", 10, 3)).toHaveLength(3);
    expect(parseRanges("bytes=0-0,2-2,4-4", 10, 2)).toBeUndefined();
    expect(parseRanges("bytes=0-0", 10, 1)).toHaveLength(1);
  });

  test("ignores every range of nothing", () => {
    expect(parseRanges("bytes=0-", 0)).toBeUndefined();
    expect(parseRanges("bytes=-5", 0)).toBeUndefined();
  });

  test("never reaches outside of the representation, nor gives more than it", () => {
    const field = fc
      .array(fc.constantFrom("0", "1", "7", "10", "999", "-", ",", " "))
      .map((pieces) => "bytes=" + pieces.join(""));
    fc.assert(
      fc.property(field, fc.integer({ min: 0, max: 20 }), (text, size) => {
        const ranges = parseRanges(text, size);
        if (ranges === undefined || ranges === "unsatisfiable") return;
        expect(ranges.length).toBeGreaterThan(0);
        expect(ranges.reduce((sum, range) => sum + range.size, 0)).toBeLessThanOrEqual(size);
        for (const range of ranges) {
          expect(range.offset).toBeGreaterThanOrEqual(0);
          expect(range.size).toBeGreaterThan(0);
          expect(range.offset + range.size).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});

test("contentRangeOf names the range, or the size alone", () => {
  expect(contentRangeOf({ offset: 2, size: 3 }, 10)).toBe("bytes 2-4/10");
  expect(contentRangeOf(undefined, 10)).toBe("bytes */10");
});
