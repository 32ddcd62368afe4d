import { expect, test } from "vitest";
import { RatePacer } from "./pacer.ts";

test("what is above the rate has to wait, and a tenth of a second may move at once", () => {
  let now = 5000;
  const pacer = new RatePacer(
    () => 1000,
    () => now,
  );
  expect(pacer.take(100)).toBe(0);
  expect(pacer.take(500)).toBe(500);
  now += 500;
  expect(pacer.take(100)).toBe(100);
  now += 10_000;
  expect(pacer.take(100)).toBe(0);
});

test("what cannot wait is admitted as long as nothing before it had to", () => {
  let now = 5000;
  const pacer = new RatePacer(
    () => 1000,
    () => now,
  );
  expect([pacer.admits(600), pacer.admits(1)]).toEqual([true, false]);
  now += 499;
  expect(pacer.admits(1)).toBe(false);
  now += 1;
  expect([pacer.admits(1), pacer.admits(1)]).toEqual([true, false]);
});

test("a rate of 0 is no limit", () => {
  const pacer = new RatePacer(
    () => 0,
    () => 0,
  );
  expect(pacer.take(1_000_000)).toBe(0);
  expect(pacer.admits(1_000_000)).toBe(true);
});
