import { expect, test } from "vitest";
import { Sampler } from "./sampler.ts";

/** The same numbers in each run: a linear congruential generator. */
function pseudoRandom(): () => number {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function taken(sampler: Sampler, perMillion: number, of: number): number[] {
  return Array.from({ length: of }, (_, i) => i).filter(() => sampler.takesNext(perMillion));
}

test("all are taken, or none", () => {
  expect(taken(new Sampler(), 1_000_000, 1000)).toHaveLength(1000);
  expect(taken(new Sampler(), 0, 1000)).toEqual([]);
});

test.each([500_000, 10_000, 1000])("%i of a million are taken, at distances of all lengths", (perMillion) => {
  const count = 2_000_000;
  const all = taken(new Sampler(pseudoRandom()), perMillion, count);
  const expected = (count * perMillion) / 1e6;
  expect(Math.abs(all.length - expected)).toBeLessThan(4 * Math.sqrt(expected));
  // A geometric distribution: of the distances, the share that is above the mean is about 1/e.
  const mean = 1e6 / perMillion;
  const distances = all.slice(1).map((place, i) => place - (all[i] ?? 0));
  const above = distances.filter((distance) => distance > mean).length / distances.length;
  expect(Math.abs(above - (1 - 1 / mean) ** mean)).toBeLessThan(2 / Math.sqrt(distances.length));
});

test("another ratio holds from the next one on", () => {
  const sampler = new Sampler();
  expect(taken(sampler, 0, 10)).toEqual([]);
  expect(taken(sampler, 1_000_000, 10)).toHaveLength(10);
  expect(taken(sampler, 0, 10)).toEqual([]);
});
