import { readFile } from "node:fs/promises";
import { finish, finishInSlices } from "@hemi/common";
import { expect, test } from "vitest";
import { countDuration, countGroup, durationBounds, durationSumAt, increase, type SeriesSpec } from "./count-group.ts";
import { CountTeller } from "./count-news.ts";
import { CountSum } from "./count-sum.ts";
import { eventCounter } from "./events.ts";
import { backendGroup, countGroups, requestGroup, webappGroup } from "./groups.ts";
import { Metrics, reportSteps } from "./metrics.ts";
import { prometheusTextSteps, type MetricsFormat } from "./prometheus-text.ts";
import { TextBytes } from "./text-bytes.ts";

const labels = ["shop", "", "static"];

test("the same labels give the same numbers", () => {
  const metrics = new Metrics();
  const numbers = metrics.numbers(requestGroup, labels);
  expect(metrics.numbers(requestGroup, [...labels])).toBe(numbers);
  expect(metrics.numbers(requestGroup, ["shop", "", "httpProxy"])).not.toBe(numbers);
});

test("news have the name of each slice once, and its numbers when they have changed", () => {
  const metrics = new Metrics();
  const numbers = metrics.numbers(requestGroup, labels);
  metrics.numbers(requestGroup, ["idle", "", ""]);
  const teller = new CountTeller();
  const sum = new CountSum();
  const told = () => {
    const news = teller.news(metrics.slices());
    // As between processes.
    for (const part of news) sum.take(teller, JSON.parse(JSON.stringify(part)) as typeof part);
    return news.map(({ names, changed }) => ({ names, changed }));
  };
  numbers[requestGroup.at.status2xx] = 5;
  expect(told()).toEqual([{ names: [{ group: "request", labels }], changed: [0] }]);
  expect(told()).toEqual([]);
  numbers[requestGroup.at.sent] = 13.5;
  expect(told()).toEqual([{ names: [], changed: [0] }]);
  expect(metrics.report()).toHaveLength(2);
  expect(sum.total()).toEqual([{ group: "request", labels, values: [...numbers] }]);
});

test("the numbers of very many slices are told in several parts, and are all in the sum", () => {
  const metrics = new Metrics();
  for (let i = 0; i < 600; i++) metrics.numbers(webappGroup, [`app${i}`])[webappGroup.at.underWay] = i + 1;
  const news = new CountTeller().news(metrics.slices());
  expect(news.map(({ changed }) => changed.length)).toEqual([250, 250, 100]);
  const sum = new CountSum();
  for (const part of news) sum.take(metrics, part);
  expect(sum.total()).toEqual(metrics.report());
});

test("the sum of very many slices is told in turns of its own, with what has come until it begins", async () => {
  const metrics = new Metrics();
  const apps = Array.from({ length: 5000 }, (_, i) => metrics.numbers(webappGroup, [`app${i}`]));
  const sum = new CountSum();
  const tell = (): void => {
    for (const numbers of apps) increase(numbers, webappGroup.at.underWay);
    for (const part of new CountTeller().news(metrics.slices())) sum.take(metrics, part);
  };
  tell();
  const total = sum.totalInSlices();
  tell();
  const steps = reportSteps(sum.slices());
  expect([...steps]).toHaveLength(5000);
  expect(await total).toEqual(sum.total());
});

test("a component that goes while a sum is told has its last numbers in it", () => {
  const [before, after] = [new Metrics(), new Metrics()];
  increase(before.numbers(webappGroup, ["gone"]), webappGroup.at.underWay);
  increase(after.numbers(webappGroup, ["stays"]), webappGroup.at.underWay);
  const sum = new CountSum();
  const process = {};
  const tell = (metrics: Metrics): void => {
    for (const part of new CountTeller().news(metrics.slices())) sum.take(process, part);
  };
  tell(before);
  const total = sum.total();
  const steps = reportSteps(sum.slices());
  tell(after);
  expect(finish(steps)).toEqual(total);
  expect(sum.total().map(({ labels }) => labels)).toEqual([["stays"]]);
});

test("a text is the same whether its characters are ASCII or not, and however long it is", () => {
  for (const piece of ["a", "ä", "🧀", "\u4e2d"]) {
    const text = new TextBytes(100);
    for (let i = 0; i < 50_000; i++) text.add(piece.repeat(i % 7));
    const pieces = Array.from({ length: 50_000 }, (_, i) => piece.repeat(i % 7));
    expect(text.finish().toString()).toBe(pieces.join(""));
  }
});

test("who is told of a sum gets all of it anew after slices have gone", () => {
  const [one, two, reader] = [{}, {}, {}];
  const sum = new CountSum();
  const fill = (source: object, app: string, underWay: number) => {
    const metrics = new Metrics();
    metrics.numbers(webappGroup, [app])[webappGroup.at.underWay] = underWay;
    for (const news of new CountTeller().news(metrics.slices())) sum.take(source, news);
  };
  fill(one, "a", 1);
  fill(two, "b", 2);
  const teller = new CountTeller();
  const read = new CountSum();
  const values = () => {
    for (const news of teller.news(sum.slices())) read.take(reader, news);
    return read.total().map((block) => [block.labels[0], block.values]);
  };
  expect(values()).toEqual([
    ["a", [1]],
    ["b", [2]],
  ]);
  // As a process that begins again, whose slice has another name.
  fill(one, "c", 3);
  expect(values()).toEqual([
    ["b", [2]],
    ["c", [3]],
  ]);
});

test("no counter falls while a process tells everything anew, nor if it ends in the middle", () => {
  const metrics = new Metrics();
  for (let i = 0; i < 500; i++) metrics.numbers(backendGroup, [`b${i}`, ""])[backendGroup.at.retries] = i + 1;
  const retries = (sum: CountSum<object>) => sum.total().map(({ values }) => values[backendGroup.at.retries]);
  const sum = new CountSum();
  const process = {};
  for (const part of new CountTeller().news(metrics.slices())) sum.take(process, part);
  const before = retries(sum);
  const [first, last] = new CountTeller().news(metrics.slices());
  expect([first?.isLast, last?.isLast]).toEqual([false, true]);
  if (first !== undefined) sum.take(process, first);
  expect(retries(sum)).toEqual(before);
  sum.ended(process);
  expect(retries(sum)).toEqual(before);
});

test("a sum of durations is the same after a process has ended, to its last digit", () => {
  const sum = new CountSum();
  const processes = [0.1, 0.2, 0.3].map((seconds) => {
    const metrics = new Metrics();
    countDuration(metrics.numbers(requestGroup, labels), requestGroup.at.durations, seconds * 1000);
    for (const news of new CountTeller().news(metrics.slices())) sum.take(metrics, news);
    return metrics;
  });
  const seconds = () => sum.total()[0]?.values[requestGroup.at.durations + durationSumAt] ?? 0;
  const before = seconds();
  expect(before).toBeCloseTo(0.6, 5);
  for (const process of processes.toReversed()) {
    sum.ended(process);
    expect(seconds()).toBe(before);
  }
});

test("more than ten thousand slices share one", () => {
  const metrics = new Metrics();
  for (let i = 0; i < 10_000; i++) metrics.numbers(requestGroup, [`app${i}`, "", ""]);
  const shared = metrics.numbers(requestGroup, ["one more", "", ""]);
  expect(metrics.numbers(requestGroup, ["and one more", "", ""])).toBe(shared);
  expect(metrics.report()).toHaveLength(10_001);
});

test("a duration is in the bucket of the first bound that is not below it", () => {
  const group = countGroup("g", [], { durations: { type: "durations", metric: "m", help: "h" } });
  const numbers = new Float64Array(group.size);
  for (const bound of durationBounds) countDuration(numbers, 0, bound * 1000);
  countDuration(numbers, 0, 31_000, 2);
  expect([...numbers.subarray(0, durationBounds.length + 1)]).toEqual([...durationBounds.map(() => 1), 2]);
  expect(numbers[durationSumAt]).toBeCloseTo(62 + durationBounds.reduce((a, b) => a + b, 0));
});

test("the layout of each group has no two numbers in one place", () => {
  for (const { at, size, series } of countGroups) {
    expect(new Set(Object.values(at)).size).toBe(Object.keys(series).length);
    expect(Math.max(...Object.values(at))).toBeLessThan(size);
  }
});

test("events are counted for the component of the stage, the part of it, and a word", () => {
  const metrics = new Metrics();
  const count = eventCounter({ path: "tcpsRouter.door/case.2/redisProxy", metrics }, "redisProxy", ["hit", "miss"]);
  count("miss");
  count("miss", 2);
  expect(metrics.report()).toEqual([
    { group: "event", labels: ["door", "redisProxy", "hit"], values: [0] },
    { group: "event", labels: ["door", "redisProxy", "miss"], values: [3] },
  ]);
});

test("a sum has the counters of a process that has ended, and not its gauges", () => {
  const [one, two] = [{}, {}];
  const sum = new CountSum();
  const count = (source: object, retries: number, queued: number) => {
    const metrics = new Metrics();
    const numbers = metrics.numbers(backendGroup, ["api", "http1Backend"]);
    numbers[backendGroup.at.retries] = retries;
    numbers[backendGroup.at.queued] = queued;
    for (const news of new CountTeller().news(metrics.slices())) sum.take(source, news);
  };
  count(one, 1, 10);
  count(two, 2, 20);
  count(one, 5, 11);
  const values = () => sum.total().map((total) => total.values);
  expect(values()).toEqual([[31, 0, 7]]);
  sum.ended(one);
  sum.ended(one);
  expect(values()).toEqual([[20, 0, 7]]);
  sum.ended(two);
  expect(values()).toEqual([[0, 0, 7]]);
});

test("the sum has the latest exemplar of each bucket, and OpenMetrics shows it", async () => {
  const [one, two] = [{}, {}];
  const sum = new CountSum();
  const report = (traceId: string, time: number) => {
    const metrics = new Metrics();
    metrics.numbers(requestGroup, labels)[requestGroup.at.durations + 1] = 2;
    const exemplar = { at: requestGroup.at.durations + 1, traceId, value: 0.0009, time };
    metrics.keepExemplar(requestGroup, labels, exemplar);
    return new CountTeller().news(metrics.slices());
  };
  for (const news of report("a".repeat(32), 1000)) sum.take(one, news);
  for (const news of report("b".repeat(32), 2000.5)) sum.take(two, news);
  const text = async (format: MetricsFormat) => String(await finishInSlices(prometheusTextSteps(sum.total(), format)));
  const line = /^hemi_request_duration_seconds_bucket\{webapp="shop",.*le="0.001"\} (.*)$/m;
  expect(line.exec(await text("openMetrics"))?.[1]).toBe(`4 # {trace_id="${"b".repeat(32)}"} 0.0009 2000.500`);
  expect(line.exec(await text("prometheus"))?.[1]).toBe("4");
});

test("docs/metrics.md lists all metrics, with their types and labels", async () => {
  const text = await readFile(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^\| `(hemi_\w+)` +\| (\w+) +\|(.*)\|$/gm)].map(([, name, type, what = ""]) => ({
    name,
    type,
    label: /, by `(\w+)`: /.exec(what)?.[1],
  }));
  const metrics = countGroups.flatMap(({ series }) =>
    Object.values<SeriesSpec>(series).map((spec) => ({
      name: spec.metric,
      type: spec.type === "durations" ? "histogram" : spec.type,
      label: "labels" in spec ? Object.keys(spec.labels ?? {})[0] : undefined,
    })),
  );
  const unique = new Map(metrics.map((metric) => [metric.name, metric]));
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    (a.name ?? "").localeCompare(b.name ?? "");
  expect(listed.sort(byName)).toEqual([...unique.values()].sort(byName));
});
