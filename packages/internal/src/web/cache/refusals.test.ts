import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Refusals } from "./refusals.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("long keys that clients make up take no more memory than short ones", () => {
  const refusals = new Refusals();
  const long = "x".repeat(40_000);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  // Each is a text of its own.
  const times = { now: 0, time: 10 };
  for (let i = 0; i < 500; i++)
    refusals.add(Buffer.from(long + String(i)).toString(), "the response is private", times);
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  expect(refusals.has(`${long}499`, 5)).toBe(true);
  expect(refusals.has(`${long}499`, 10)).toBe(false);
  expect(refusals.reasonOf(`${long}0`)).toBe("the response is private");
  refusals.delete(`${long}0`);
  expect(refusals.reasonOf(`${long}0`)).toBeUndefined();
});

test("a refusal does not last longer when the clock is put back", () => {
  const refusals = new Refusals();
  refusals.add("a", "the response is private", { now: 1_000_000, time: 1000 });
  expect([1_000_000, 1_000_999, 1_001_000, 5000].map((now) => refusals.has("a", now))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
