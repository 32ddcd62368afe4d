import { getHeapStatistics } from "node:v8";
import { expect, test } from "vitest";
import { DurationCounter, measuredBounds, readMeasurementOrder } from "../observe/measurement.ts";
import { measurementText } from "../observe/measurement-text.ts";
import { Measuring } from "./measuring.ts";

test("a loop that stands still is seen with its delay", async () => {
  const measured = new Measuring().measure({ kind: "loop", slot: 3, period: 300 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 150;
  while (performance.now() < until);
  const { durations, slot, period } = await measured;
  expect(slot).toBe(3);
  expect(period).toBeGreaterThanOrEqual(300);
  expect(durations["delay"]?.longest).toBeGreaterThan(100);
  expect(durations["delay"]?.buckets.reduce((a, b) => a + b)).toBe(durations["delay"]?.count);
});

test("garbage collections are counted by their kinds", async () => {
  const measured = new Measuring().measure({ kind: "gc", slot: 0, period: 200 });
  const from = getHeapStatistics().malloced_memory;
  let kept: unknown[] = [];
  for (let i = 0; i < 600_000; i++) {
    kept.push({ i, from });
    if (kept.length > 50_000) kept = [];
  }
  const { durations } = await measured;
  expect(durations["young objects"]?.count).toBeGreaterThan(0);
});

test("a worker is measured at most four times at once", async () => {
  const measuring = new Measuring();
  const order = { kind: "loop", slot: 0, period: 20 } as const;
  const running = Array.from({ length: 4 }, () => measuring.measure(order));
  await expect(measuring.measure(order)).rejects.toThrow("worker 0 is measured 4 times already");
  await Promise.all(running);
  await measuring.measure(order);
});

test("a measurement for people has a bar for each bucket between the shortest and the longest", () => {
  const delay = new DurationCounter();
  for (const duration of [0.3, 0.3, 0.3, 0.3, 2, 2000]) delay.add(duration);
  const text = measurementText({ kind: "loop", slot: 0, pid: 7, period: 10_000, durations: { delay: delay.counts() } });
  const [head, sum, first, ...others] = text.split("\n");
  expect(head).toBe("delays of the event loop of worker 0, process 7, in 10.0 s");
  expect(sum).toBe("6 in all, on average 333.87 ms, at most 2000.00 ms, 20.03 % of the time");
  expect(first).toBe(`     to 0.5 ms        4  ${"#".repeat(40)}`);
  expect(others).toHaveLength(measuredBounds.length - 1);
  expect(others).toContain(`  over 1000 ms        1  ${"#".repeat(10)}`);
});

test.each([
  [{ kind: "heap" }, "kind is one of loop, gc"],
  [{ kind: "gc", slot: -1, period: 1 }, "slot is the number of a worker"],
  [{ kind: "gc", slot: 0, period: 0 }, "period is a number of ms up to 600000"],
])("a client that sends %j is told what is wrong", (params, message) => {
  expect(() => readMeasurementOrder(params)).toThrow(message);
});
