// A report as text for Prometheus: its own format (version 0.0.4), or OpenMetrics 1.0.

import type { Steps } from "@hemi/common";
import { durationBounds, durationSumAt, type CountGroup, type SeriesSpec } from "./count-group.ts";
import { countGroups } from "./groups.ts";
import type { CountBlock, CountReport, Exemplar } from "./metrics.ts";
import { TextBytes } from "./text-bytes.ts";

/** The formats, with their media types. */
export const metricsFormats = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

/** The name of a format. */
export type MetricsFormat = keyof typeof metricsFormats;

/**
 * The text in UTF-8. Yields often, so that thousands of components do not stop the event loop: see `finishInSlices` of
 * @hemi/common.
 */
export function* prometheusTextSteps(report: CountReport, format: MetricsFormat): Steps<Buffer> {
  const text = new TextBytes(expectedSize);
  const blocksByGroup = Map.groupBy(report, ({ group }) => group);
  for (const { group, metrics } of placedGroups) {
    const blocks = blocksByGroup.get(group.name) ?? [];
    const labels: string[] = [];
    for (const block of blocks) {
      labels.push(labelsOf(group, block));
      yield undefined;
    }
    for (const [metric, series] of blocks.length === 0 ? [] : metrics) {
      text.add(header(metric, series, format));
      for (const [i, block] of blocks.entries()) {
        // The older format has no exemplars.
        const exemplars = format === "openMetrics" ? block.exemplars : undefined;
        for (const one of series) addSamples(text, one, block.values, exemplars, labels[i] ?? "");
        yield undefined;
      }
    }
  }
  if (format === "openMetrics") text.add("# EOF\n");
  const whole = text.finish();
  expectedSize = Math.ceil(whole.length * 1.1);
  return whole;
}

/** In bytes. The next text is most likely about as long as the last one: a buffer that grows is garbage of its size. */
let expectedSize = 65_536;

/** A series in the layout of its group, with what does not change in its lines. */
interface PlacedSeries {
  readonly spec: SeriesSpec;
  readonly at: number;
  readonly metric: string;
  /** Before the labels of a block, and behind them. */
  readonly head: string;
  readonly tail: string;
}

/** All groups with their metrics: the samples of a metric must stand together. */
const placedGroups = countGroups.map((group: CountGroup) => {
  const placed = Object.entries(group.series).map(([name, spec]) => placedSeries(spec, group.at[name] ?? 0));
  return { group, metrics: Map.groupBy(placed, ({ metric }) => metric) };
});

function placedSeries(spec: SeriesSpec, at: number): PlacedSeries {
  const { metric } = spec;
  if (spec.type === "durations") return { spec, at, metric, head: `${metric}_bucket{`, tail: "" };
  const own = Object.entries(spec.labels ?? {}).map(([name, word]) => `,${name}="${word}"`);
  const head = `${metric}${spec.type === "counter" ? "_total" : ""}{`;
  return { spec, at, metric, head, tail: `${own.join("")}} ` };
}

function header(metric: string, [first]: readonly PlacedSeries[], format: MetricsFormat): string {
  if (first === undefined) return "";
  const { type, help } = first.spec;
  // The family of a counter has no `_total` in OpenMetrics, and has it in the older format.
  const family = type === "counter" && format === "prometheus" ? `${metric}_total` : metric;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type === "durations" ? "histogram" : type}\n`;
}

function addSamples(
  text: TextBytes,
  { spec, at, metric, head, tail }: PlacedSeries,
  values: readonly number[],
  exemplars: readonly Exemplar[] | undefined,
  labels: string,
): void {
  if (spec.type !== "durations") return addSample(text, head, labels, tail, values[at] ?? 0);
  let count = 0;
  for (let i = 0; i < bucketTails.length; i++) {
    count += values[at + i] ?? 0;
    const exemplar = exemplars?.find((one) => one.at === at + i);
    addSample(text, head, labels, bucketTails[i] ?? "", count, exemplar);
  }
  addSample(text, `${metric}_sum{`, labels, "} ", values[at + durationSumAt] ?? 0);
  addSample(text, `${metric}_count{`, labels, "} ", count);
}

function addSample(
  text: TextBytes,
  head: string,
  labels: string,
  tail: string,
  value: number,
  exemplar?: Exemplar,
): void {
  text.add(head);
  text.add(labels);
  text.add(tail);
  text.add(String(value));
  if (exemplar !== undefined) text.add(exemplarText(exemplar));
  text.add("\n");
}

function exemplarText({ traceId, value, time }: Exemplar): string {
  return ` # {trace_id="${traceId}"} ${value} ${time.toFixed(3)}`;
}

/** OpenMetrics wants floating-point numbers. */
const bounds = [...durationBounds.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound))), "+Inf"];

/** What stands behind the labels of a block in the line of a bucket. */
const bucketTails = bounds.map((bound) => `,le="${bound}"} `);

function labelsOf(group: CountGroup, block: CountBlock): string {
  return group.labels.map((name, i) => `${name}="${escapeLabel(block.labels[i] ?? "")}"`).join(",");
}

/** Names in a configuration may have any characters. */
function escapeLabel(text: string): string {
  if (!/["\\\n]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
