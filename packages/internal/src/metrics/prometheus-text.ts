// A report as text for Prometheus: its own format (version 0.0.4), or OpenMetrics 1.0.

import { durationBounds, durationSumAt, type CountGroup, type SeriesSpec } from "./count-group.ts";
import { countGroups } from "./groups.ts";
import type { CountBlock, CountReport, Exemplar } from "./metrics.ts";

/** The formats, with their media types. */
export const metricsFormats = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

/** The name of a format. */
export type MetricsFormat = keyof typeof metricsFormats;

/** Yields often, so that thousands of components do not stop the event loop: see `finishInSlices` of @hemi/common. */
export function* prometheusTextSteps(
  report: CountReport,
  format: MetricsFormat,
): Generator<undefined, string, undefined> {
  let text = "";
  const blocksByGroup = Map.groupBy(report, ({ group }) => group);
  for (const group of countGroups) {
    const blocks = blocksByGroup.get(group.name) ?? [];
    if (blocks.length === 0) continue;
    for (const [metric, series] of metricsOf(group)) {
      text += header(metric, series, format);
      for (const block of blocks) {
        const labels = labelsOf(group, block);
        // The older format has none.
        const exemplars = format === "openMetrics" ? block.exemplars : undefined;
        for (const { spec, at } of series) text += samples(metric, spec, at, { ...block, exemplars }, labels);
        yield undefined;
      }
    }
  }
  return format === "openMetrics" ? `${text}# EOF\n` : text;
}

interface PlacedSeries {
  readonly spec: SeriesSpec;
  readonly at: number;
}

/** The samples of a metric must stand together. */
function metricsOf({ series, at }: CountGroup): ReadonlyMap<string, readonly PlacedSeries[]> {
  const placed = Object.entries(series).map(([name, spec]) => ({ spec, at: at[name] ?? 0 }));
  return Map.groupBy(placed, ({ spec }) => spec.metric);
}

function header(metric: string, [first]: readonly PlacedSeries[], format: MetricsFormat): string {
  if (first === undefined) return "";
  const { type, help } = first.spec;
  // The family of a counter has no `_total` in OpenMetrics, and has it in the older format.
  const family = type === "counter" && format === "prometheus" ? `${metric}_total` : metric;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${type === "durations" ? "histogram" : type}\n`;
}

/** What samples are made of. */
interface SampledBlock {
  readonly values: readonly number[];
  readonly exemplars: readonly Exemplar[] | undefined;
}

function samples(metric: string, spec: SeriesSpec, at: number, block: SampledBlock, labels: string): string {
  const { values, exemplars = [] } = block;
  const value = (i: number): number => values[at + i] ?? 0;
  if (spec.type !== "durations") {
    const own = Object.entries(spec.labels ?? {}).map(([name, word]) => `,${name}="${word}"`);
    return `${metric}${spec.type === "counter" ? "_total" : ""}{${labels}${own.join("")}} ${value(0)}\n`;
  }
  let text = "";
  let count = 0;
  for (const [i, bound] of bounds.entries()) {
    count += value(i);
    const exemplar = exemplars.find((one) => one.at === at + i);
    text += `${metric}_bucket{${labels},le="${bound}"} ${count}${exemplar === undefined ? "" : exemplarText(exemplar)}\n`;
  }
  return `${text}${metric}_sum{${labels}} ${value(durationSumAt)}\n${metric}_count{${labels}} ${count}\n`;
}

function exemplarText({ traceId, value, time }: Exemplar): string {
  return ` # {trace_id="${traceId}"} ${value} ${time.toFixed(3)}`;
}

/** OpenMetrics wants floating-point numbers. */
const bounds = [...durationBounds.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound))), "+Inf"];

function labelsOf(group: CountGroup, block: CountBlock): string {
  return group.labels.map((name, i) => `${name}="${escapeLabel(block.labels[i] ?? "")}"`).join(",");
}

/** Names in a configuration may have any characters. */
function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
