import fc from "fast-check";
import { expect, test } from "vitest";
import { GcraTable } from "./gcra.ts";

function makeTable(interval: number, burst: number, maxKeys = 100) {
  let forgotten = 0;
  const table = new GcraTable({ rate: { interval, burst }, maxKeys, forgot: () => forgotten++ });
  return { table, forgotten: () => forgotten };
}

test("lets a burst through, then one an interval, and says what is left", () => {
  const { table } = makeTable(100, 3);
  expect(table.take("a", 1000)).toEqual({ conforms: true, remaining: 2, wait: 100 });
  expect(table.take("a", 1000)).toEqual({ conforms: true, remaining: 1, wait: 200 });
  expect(table.take("a", 1000)).toEqual({ conforms: true, remaining: 0, wait: 300 });
  expect(table.take("a", 1000)).toEqual({ conforms: false, remaining: 0, wait: 100 });
  expect(table.take("a", 1099)).toEqual({ conforms: false, remaining: 0, wait: 1 });
  expect(table.take("a", 1100)).toEqual({ conforms: true, remaining: 0, wait: 300 });
  expect(table.take("a", 1399)).toMatchObject({ conforms: true, remaining: 1 });
  expect(table.take("a", 9000)).toEqual({ conforms: true, remaining: 2, wait: 100 });
});

test("counts each key by itself", () => {
  const { table } = makeTable(100, 1);
  expect(table.take("a", 0).conforms).toBe(true);
  expect(table.take("b", 0).conforms).toBe(true);
  expect(table.take("a", 0).conforms).toBe(false);
});

test("what does not conform does not count", () => {
  const { table } = makeTable(100, 1);
  table.take("a", 0);
  for (let now = 1; now < 100; now++) expect(table.take("a", now).conforms).toBe(false);
  expect(table.take("a", 100).conforms).toBe(true);
});

test.each([3, 7, 333, 60_000 / 7])("a client that keeps to an interval of %f ms is never refused", (interval) => {
  const { table } = makeTable(interval, 1);
  for (let i = 0; i < 10_000; i++) expect(table.take("a", 12_345.678 + i * interval).conforms).toBe(true);
});

test("a lower rate holds at once for those who are ahead", () => {
  const { table } = makeTable(100, 3);
  for (let i = 0; i < 3; i++) table.take("a", 0);
  table.rate = { interval: 1000, burst: 1 };
  expect(table.take("a", 200)).toEqual({ conforms: false, remaining: 0, wait: 100 });
});

test("a full table forgets who came longest ago, and tells if that was too early", () => {
  const { table, forgotten } = makeTable(100, 1, 2);
  table.take("a", 0);
  table.take("b", 1);
  table.take("a", 2);
  table.take("c", 3);
  expect(forgotten()).toBe(1);
  expect(table.take("a", 4).conforms).toBe(false);
  expect(table.take("b", 5).conforms).toBe(true);
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
        const { conforms, remaining, wait } = table.take("a", now);
        if (conforms) passed.push(now);
        expect(remaining).toBeLessThan(burst);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(interval * burst);
      }
      passed.forEach((start, i) => {
        passed.slice(i).forEach((end, count) => {
          expect(count + 1).toBeLessThanOrEqual(burst + Math.floor((end - start) / interval));
        });
      });
    }),
  );
});
