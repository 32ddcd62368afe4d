import { describe, expect, test } from "vitest";
import { printDuration, printSize, readNumber } from "./literals.ts";

describe("readNumber", () => {
  test.each([
    ["0", "integer", 0],
    ["314", "integer", 314],
    ["9007199254740991", "integer", Number.MAX_SAFE_INTEGER],
    ["0K", "size", 0],
    ["1K", "size", 1024],
    ["2M", "size", 2 * 1024 ** 2],
    ["3G", "size", 3 * 1024 ** 3],
    ["4T", "size", 4 * 1024 ** 4],
    ["500ms", "duration", 500],
    ["1s", "duration", 1000],
    ["2m", "duration", 120_000],
    ["3h", "duration", 10_800_000],
    ["4d", "duration", 345_600_000],
  ])("reads %s as %s of %d", (text, type, value) => {
    expect(readNumber(text)).toEqual({ type, value });
  });

  test.each([
    ["", "is not a number", undefined],
    ["K", "is not a number", undefined],
    ["-1", "is not a number", undefined],
    ["1.5", "is not a number", "there are no fractions; an address stands in quotes"],
    ["01", "has a leading zero", undefined],
    ["00", "has a leading zero", undefined],
    ["9007199254740992", "is too large", "the largest is 9007199254740991"],
    ["8192T", "is too large", "the largest is 9007199254740991"],
    [`1${"0".repeat(400)}`, "is too large", "the largest is 9007199254740991"],
    ["1k", "is not a number", "did you mean 1K?"],
    ["10MB", "is not a number", "did you mean 10M?"],
    ["10MiB", "is not a number", "did you mean 10M?"],
    ["10mb", "is not a number", "sizes end in K, M, G or T, durations in ms, s, m, h or d"],
    ["3min", "is not a number", "did you mean 3m?"],
    ["3D", "is not a number", "did you mean 3d?"],
    ["3w", "is not a number", "sizes end in K, M, G or T, durations in ms, s, m, h or d"],
    ["1 K", "is not a number", "sizes end in K, M, G or T, durations in ms, s, m, h or d"],
  ])("refuses %j, which %s", (text, what, hint) => {
    const read = readNumber(text);
    expect(read).toEqual({ type: "bad", message: expect.stringContaining(what), hint });
  });
});

test.each([
  [0, "0K"],
  [1024, "1K"],
  [1536, "1536"],
  [1536 * 1024, "1536K"],
  [1024 ** 4, "1T"],
])("%d bytes are printed as %s", (bytes, text) => {
  expect(printSize(bytes)).toBe(text);
});

test.each([
  [0, "0ms"],
  [1, "1ms"],
  [1500, "1500ms"],
  [90_000, "90s"],
  [86_400_000, "1d"],
])("%d milliseconds are printed as %s", (ms, text) => {
  expect(printDuration(ms)).toBe(text);
});
