import { expect, test } from "vitest";
import { activityOf, type Activity } from "./activity.ts";
import { ActivityHistory } from "./history.ts";

const idle = activityOf([], [], 1);

function busy(path: string, rate: number): Activity {
  const row = { ...idle.totals.requests, path, rate, p50: rate === 0 ? null : 1.5 };
  return { ...idle, components: [row] };
}

test("a component that had traffic has a point for each sample, with gaps where there is no latency", () => {
  const history = new ActivityHistory();
  for (const [i, rate] of [0, 5, 0].entries()) history.add(1000 * i, busy("webapp.shop", rate));
  expect(history.of("webapp.shop")).toMatchObject({
    times: [0, 1000, 2000],
    points: { rate: [null, 5, 0], p50: [null, 1.5, null] },
  });
  expect(history.of("webapp.other")).toBeUndefined();
  expect(history.of("requests")?.times).toHaveLength(3);
});

test("only the last 15 minutes are kept", () => {
  const history = new ActivityHistory();
  history.add(0, busy("webapp.shop", 1));
  for (let i = 1; i <= 60; i++) history.add(i, idle);
  expect(history.of("webapp.shop")?.points["rate"]).toEqual(new Array(60).fill(null));
  history.add(61, idle);
  expect(history.of("webapp.shop")).toBeUndefined();
  expect(history.of("requests")?.times.at(0)).toBe(2);
});

test("ten thousand busy components do not grow the history beyond its bound", () => {
  const history = new ActivityHistory();
  for (let i = 0; i < 10_000; i++) history.add(0, { ...idle, components: busy(`webapp.w${i}`, 1).components });
  expect(history.of("webapp.w9999")).toBeDefined();
  const many = Array.from({ length: 10_000 }, (_, i) => ({ ...idle.totals.requests, path: `p${i}`, rate: 1 }));
  const full = new ActivityHistory();
  full.add(0, { ...idle, components: many });
  expect(many.filter(({ path }) => full.of(path) !== undefined)).toHaveLength(2000 - 3);
});
