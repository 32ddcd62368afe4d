import { expect, test } from "vitest";
import { formatTime } from "./time-format.ts";

test("a date has the form that is asked for", () => {
  expect(formatTime(new Date("2026-02-03T04:05:06Z"), "%F %H:%M, %a %e %B", true)).toBe(
    "2026-02-03 04:05, Tue  3 February",
  );
});

test("what is no date is nothing, in any form", () => {
  expect(formatTime(new Date("yesterday"), "%F", true)).toBe("");
});
