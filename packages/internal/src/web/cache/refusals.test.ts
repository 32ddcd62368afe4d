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
  for (let i = 0; i < 500; i++) refusals.add(Buffer.from(long + String(i)).toString(), "the response is private", 10);
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  expect(refusals.has(`${long}499`, 5)).toBe(true);
  expect(refusals.has(`${long}499`, 10)).toBe(false);
  expect(refusals.reasonOf(`${long}0`)).toBe("the response is private");
  refusals.delete(`${long}0`);
  expect(refusals.reasonOf(`${long}0`)).toBeUndefined();
});
