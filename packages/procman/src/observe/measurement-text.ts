// A measurement for people: a bar for each bucket.

import { measuredBounds, type DurationCounts, type Measurement } from "./measurement.ts";

export function measurementText({ kind, slot, pid, period, durations }: Measurement): string {
  const what = kind === "loop" ? "delays of the event loop" : "garbage collections";
  const blocks = Object.entries(durations).map(([name, counts]) =>
    blockText(kind === "gc" ? `${name}: ` : "", counts, period),
  );
  const head = `${what} of worker ${slot}, process ${pid}, in ${(period / 1000).toFixed(1)} s`;
  return [head, ...(blocks.length === 0 ? ["none\n"] : blocks)].join("\n");
}

function blockText(name: string, { count, sum, longest, buckets }: DurationCounts, period: number): string {
  const average = count === 0 ? 0 : sum / count;
  const share = `${((100 * sum) / period).toFixed(2)} % of the time`;
  const most = Math.max(1, ...buckets);
  const from = buckets.findIndex((bucket) => bucket > 0);
  const to = buckets.findLastIndex((bucket) => bucket > 0);
  const lines = buckets.map((bucket, i) => {
    const bound = measuredBounds[i];
    const range = bound === undefined ? `over ${measuredBounds.at(-1) ?? ""} ms` : `to ${bound} ms`;
    const bar = "#".repeat(Math.ceil((40 * bucket) / most));
    return `  ${range.padStart(12)} ${String(bucket).padStart(8)}  ${bar}`.trimEnd();
  });
  return [
    `${name}${count} in all, on average ${average.toFixed(2)} ms, at most ${longest.toFixed(2)} ms, ${share}`,
    ...(from < 0 ? [] : lines.slice(from, to + 1)),
    "",
  ].join("\n");
}
