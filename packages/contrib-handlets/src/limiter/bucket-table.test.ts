import fc from "fast-check";
import { expect, test } from "vitest";
import { BucketTable } from "./bucket-table.ts";

function makeTable(interval: number, burst: number, maxKeys = 100) {
  let forgotten = 0;
  const table = new BucketTable({ rate: { interval, burst }, maxKeys, forgot: () => forgotten++ });
  return { table, forgotten: () => forgotten };
}

test("grants a burst, then one token an interval, and says what is left", () => {
  const { table } = makeTable(100, 3);
  const take = (now: number) => {
    const { granted, remaining, retryAfter, fullAfter } = table.take("a", now);
    return [granted, remaining, retryAfter, fullAfter];
  };
  expect(take(1000)).toEqual([1, 2, 0, 100]);
  expect(take(1000)).toEqual([1, 1, 0, 200]);
  expect(take(1000)).toEqual([1, 0, 100, 300]);
  expect(take(1000)).toEqual([0, 0, 100, 300]);
  expect(take(1099)).toEqual([0, 0, 1, 201]);
  expect(table.look("a", 1099)).toMatchObject({ granted: 0, remaining: 0, retryAfter: 1 });
  expect(take(1100)).toEqual([1, 0, 100, 300]);
  expect(take(1399)).toEqual([1, 1, 0, 101]);
  expect(take(9000)).toEqual([1, 2, 0, 100]);
});

test("counts each key by itself", () => {
  const { table } = makeTable(100, 1);
  expect(table.take("a", 0).granted).toBe(1);
  expect(table.take("b", 0).granted).toBe(1);
  expect(table.take("a", 0).granted).toBe(0);
});

test("what does not conform does not count", () => {
  const { table } = makeTable(100, 1);
  table.take("a", 0);
  for (let now = 1; now < 100; now++) expect(table.take("a", now).granted).toBe(0);
  expect(table.take("a", 100).granted).toBe(1);
});

test.each([3, 7, 333, 60_000 / 7])("a client that keeps to an interval of %f ms is never refused", (interval) => {
  const { table } = makeTable(interval, 1);
  for (let i = 0; i < 10_000; i++) expect(table.take("a", 12_345.678 + i * interval).granted).toBe(1);
});

test("a lower rate holds at once for those who are ahead", () => {
  const { table } = makeTable(100, 3);
  for (let i = 0; i < 3; i++) table.take("a", 0);
  table.rate = { interval: 1000, burst: 1 };
  expect(table.take("a", 200)).toMatchObject({ granted: 0, remaining: 0, retryAfter: 100 });
});

test("a full table forgets who came longest ago, and tells if that was too early", () => {
  const { table, forgotten } = makeTable(100, 1, 2);
  table.take("a", 0);
  table.take("b", 1);
  table.take("a", 2);
  table.take("c", 3);
  expect(forgotten()).toBe(1);
  expect(table.take("a", 4).granted).toBe(0);
  expect(table.take("b", 5).granted).toBe(1);
  expect(forgotten()).toBe(2);
  // By now it makes no difference whether they are remembered.
  table.take("d", 1000);
  table.take("e", 1000);
  expect(forgotten()).toBe(2);
});

test("in no window do more pass than the burst and what the rate gives", () => {
  const scenario = fc.record({
    interval: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 10 }),
    gaps: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 }),
  });
  fc.assert(
    fc.property(scenario, ({ interval, burst, gaps }) => {
      const { table } = makeTable(interval, burst);
      const passed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const { granted, remaining, fullAfter } = table.take("a", now);
        if (granted === 1) passed.push(now);
        expect(remaining).toBeLessThan(burst);
        expect(fullAfter).toBeGreaterThan(0);
        expect(fullAfter).toBeLessThanOrEqual(interval * burst);
      }
      passed.forEach((start, i) => {
        passed.slice(i).forEach((end, count) => {
          expect(count + 1).toBeLessThanOrEqual(burst + Math.floor((end - start) / interval));
        });
      });
    }),
  );
});
