import { expect, test } from "vitest";
import { parsePriority } from "./priority.ts";

test.each([
  ["", 3, false],
  ["u=0", 0, false],
  ["i", 3, true],
  ["u=7, i", 7, true],
  ["i=?0,u=1", 1, false],
  ["i=?1;x=y , u=5;z", 5, true],
  ["u=1, u=2", 2, false],
  ["u=8", 3, false],
  ["u=-1", 3, false],
  ["u=1.5", 3, false],
  ["u", 3, false],
  ["i=1", 3, false],
  ["urgency=1, ii, U=1", 3, false],
])("%j says urgency %i, incremental %s", (text, urgency, isIncremental) => {
  expect(parsePriority(text)).toEqual({ urgency, isIncremental });
});

test("members of a priority behind the first 100 are not read", () => {
  expect(parsePriority(`${"x,".repeat(99)}u=1`).urgency).toBe(1);
  expect(parsePriority(`${"x,".repeat(100)}u=1`).urgency).toBe(3);
});
