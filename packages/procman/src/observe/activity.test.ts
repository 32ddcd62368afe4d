import { countGroups, type CountReport } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { activityOf, percentileOf } from "./activity.ts";
import { activityText, bytes } from "./activity-text.ts";

function block(
  group: string,
  labels: readonly string[],
  numbers: Readonly<Record<string, number>>,
): CountReport[number] {
  const layout = countGroups.find(({ name }) => name === group) ?? expect.fail(group);
  const values = new Array<number>(layout.size).fill(0);
  const at: Readonly<Record<string, number>> = layout.at;
  for (const [name, value] of Object.entries(numbers)) values[at[name] ?? expect.fail(name)] = value;
  return { group, labels, values };
}

const before: CountReport = [
  block("request", ["shop", "assets", "static"], { status2xx: 100, sent: 1000 }),
  block("process", ["0"], { loopBusy: 10 }),
];
const after: CountReport = [
  block("request", ["shop", "assets", "static"], { status2xx: 300, sent: 5000, durations: 200 }),
  block("request", ["shop", "", ""], { status4xx: 20, status5xx: 2 }),
  block("webapp", ["shop"], { underWay: 3 }),
  block("node", ["api", "http1Backend", "127.0.0.1:81"], { good: 8, failed: 2, active: 1 }),
  block("server", ["main", "httpxServer"], { accepted: 4, open: 2 }),
  block("conn", ["door", "tcpsRouter", "ssh", "tcpsProxy"], { complete: 6, noNode: 2, sent: 80, underWay: 5 }),
  block("conn", ["door", "tcpsRouter", "", ""], { notTaken: 2 }),
  block("process", ["0"], { loopBusy: 11, resident: 1024 * 1024 }),
];

test("rows have what has happened between two reports, for each second", () => {
  const { components, workers } = activityOf(before, after, 2);
  expect(
    components.map(({ path, rate, errorRate, sent, underWay }) => [path, rate, errorRate, sent, underWay]),
  ).toEqual([
    ["webapp.shop", 111, 1, 2000, 3],
    ["webapp.shop/rule.assets/static", 100, 0, 2000, 0],
    ["http1Backend.api 127.0.0.1:81", 5, 1, 0, 1],
    ["httpxServer.main", 2, 0, 0, 2],
    ["tcpsRouter.door/case.ssh/tcpsProxy", 4, 1, 40, 5],
    ["tcpsRouter.door/untaken", 1, 0, 0, 0],
  ]);
  expect(components[0]).toMatchObject({ p50: 0.25, p99: 0.495 });
  expect(workers).toMatchObject([{ slot: 0, loop: 0.5, rss: 1024 * 1024 }]);
});

test("a counter that has begun anew has grown by what it has", () => {
  const { components } = activityOf(after, [block("request", ["shop", "assets", "static"], { status2xx: 10 })], 1);
  expect(components[0]).toMatchObject({ rate: 10 });
});

test("a worker that has ended is no row with nothing, until another one has its slot", () => {
  const ended = [block("process", ["0"], { loopBusy: 11 }), block("process", ["1"], { loopBusy: 5, resident: 1024 })];
  expect(activityOf(after, ended, 1).workers).toMatchObject([{ slot: 1, rss: 1024 }]);
});

test("a percentile is interpolated in its bucket, and the last bound stands for all beyond it", () => {
  expect(percentileOf([0, 0], 0.5)).toBeNull();
  expect(percentileOf([0, 10], 0.5)).toBeCloseTo(0.75);
  expect(percentileOf([...new Array<number>(15).fill(0), 4], 0.99)).toBe(30_000);
});

test("a table has 80 columns at most, and names cannot command the terminal", () => {
  const long = [block("request", ["\x1b[31mshop".padEnd(100, "x"), "", "static"], { status2xx: 1e9, sent: 1e15 })];
  const text = activityText(activityOf([], [...after, ...long], 1), "errors");
  expect(text).not.toContain("\x1b");
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toContain("webapp.shop/rule.assets/static");
  expect(
    activityText(activityOf([], after, 1), "path", 3)
      .trimEnd()
      .split("\n"),
  ).toHaveLength(3);
});

test.each([
  [0, "0"],
  [1023, "1023"],
  [1536, "1.5K"],
  [200 * 1024 * 1024, "200M"],
])("%d bytes are shown as %s", (count, text) => {
  expect(bytes(count)).toBe(text);
});
