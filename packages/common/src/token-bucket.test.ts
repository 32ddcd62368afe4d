import fc from "fast-check";
import { expect, test } from "vitest";
import { takeFromBucket } from "./token-bucket.ts";

const rate = { interval: 100, burst: 3 };
const take = (arrival: number | undefined, now: number, wanted = 1, spent = 0) =>
  takeFromBucket(arrival, rate, { wanted, spent }, now);

test("a full bucket grants its burst at once, and then says how long to wait", () => {
  expect(take(undefined, 1000, 5)).toEqual({
    arrival: 1300,
    granted: 3,
    remaining: 0,
    retryAfter: 100,
    fullAfter: 300,
  });
  expect(take(1300, 1100)).toMatchObject({ granted: 1, remaining: 0, retryAfter: 100 });
  expect(take(1300, 1099)).toMatchObject({ granted: 0, retryAfter: 1 });
});

test("what was spent elsewhere brings a bucket into debt, and is paid back by waiting", () => {
  expect(take(undefined, 0, 1, 10)).toEqual({
    arrival: 1000,
    granted: 0,
    remaining: 0,
    retryAfter: 800,
    fullAfter: 1000,
  });
  expect(take(1000, 800)).toMatchObject({ granted: 1 });
});

test("tokens that are given back can be taken again, and fill no bucket beyond its burst", () => {
  expect(take(300, 0, 0, -2)).toMatchObject({ remaining: 2, retryAfter: 0, fullAfter: 100 });
  expect(take(300, 0, 0, -50)).toMatchObject({ remaining: 3, fullAfter: 0 });
});

test("in no window is more granted than the burst and what the rate gives", () => {
  const steps = fc.array(fc.record({ gap: fc.integer({ min: 0, max: 60 }), wanted: fc.integer({ min: 0, max: 5 }) }), {
    maxLength: 100,
  });
  const rates = fc.record({ interval: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(rates, steps, (tried, all) => {
      let [now, arrival]: [number, number | undefined] = [0, undefined];
      const grants: { readonly at: number; readonly count: number }[] = [];
      for (const { gap, wanted } of all) {
        now += gap;
        const taken = takeFromBucket(arrival, tried, { wanted, spent: 0 }, now);
        ({ arrival } = taken);
        grants.push({ at: now, count: taken.granted });
      }
      grants.forEach((first, i) => {
        let sum = 0;
        for (const { at, count } of grants.slice(i)) {
          sum += count;
          expect(sum).toBeLessThanOrEqual(tried.burst + Math.floor((at - first.at) / tried.interval));
        }
      });
    }),
  );
});
