import { expect, test } from "vitest";
import { formatISOTime } from "./iso-time.ts";

test.each([
  [0, "1970-01-01T00:00:00.000Z"],
  [Date.UTC(2026, 0, 31, 12), "2026-01-31T12:00:00.000Z"],
  [8.64e15, "+275760-09-13T00:00:00.000Z"],
  [8.64e15 + 1, ""],
  [NaN, ""],
  [Infinity, ""],
])("%d ms are %j", (ms, text) => {
  expect(formatISOTime(ms)).toBe(text);
});
