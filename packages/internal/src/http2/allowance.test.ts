import { expect, test } from "vitest";
import { TokenBucket } from "./allowance.ts";

test("what is spent comes back with time, and no more than that", () => {
  let now = 1000;
  const allowance = new TokenBucket(10, 5000, () => now);
  for (let i = 0; i < 10; i++) expect(allowance.spend()).toBe(true);
  expect(allowance.spend()).toBe(false);
  now += 1000;
  expect(allowance.spend(2)).toBe(true);
  expect(allowance.spend()).toBe(false);
  now += 1_000_000;
  expect(allowance.spend(11)).toBe(false);
  expect(allowance.spend(10)).toBe(true);
});

test("what is of use earns some", () => {
  const allowance = new TokenBucket(2, 5000, () => 0);
  allowance.earn(5);
  expect(allowance.spend(2)).toBe(true);
  allowance.earn(1);
  expect(allowance.spend()).toBe(true);
  expect(allowance.spend()).toBe(false);
});
