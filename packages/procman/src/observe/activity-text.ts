// Activity as a table of 80 columns.

import type { Activity, ActivityRow, WorkerRow } from "./activity.ts";
import { plainText } from "./plain-text.ts";

export type SortKey = "rate" | "errors" | "p99" | "sent" | "path";

/** `height`: at most so many lines; default: all. */
export function activityText(activity: Activity, sort: SortKey = "rate", height = Infinity): string {
  const rows = activity.components.toSorted(comparison[sort]);
  const head = `${"component".padEnd(34)}${columns("req/s", "err/s", "p50 ms", "p99 ms", "out/s", "now")}`;
  const lines = [
    ...activity.workers.toSorted((a, b) => a.slot - b.slot).map(workerLine),
    "",
    head,
    ...rows.map(rowLine),
  ];
  return `${lines.slice(0, height).join("\n")}\n`;
}

const comparison: Readonly<Record<SortKey, (a: ActivityRow, b: ActivityRow) => number>> = {
  rate: (a, b) => b.rate - a.rate,
  errors: (a, b) => b.errorRate - a.errorRate,
  p99: (a, b) => (b.p99 ?? -1) - (a.p99 ?? -1),
  sent: (a, b) => b.sent - a.sent,
  path: (a, b) => a.path.localeCompare(b.path),
};

function rowLine(row: ActivityRow): string {
  const { path, rate, errorRate, p50, p99, sent, underWay } = row;
  const numbers = columns(short(rate), short(errorRate), time(p50), time(p99), bytes(sent), String(underWay));
  return `${clip(plainText(path), 33).padEnd(34)}${numbers}`;
}

/** 46 characters. */
function columns(
  ...[rate, errors, p50, p99, sent, now]: readonly [string, string, string, string, string, string]
): string {
  return [
    rate.padStart(8),
    errors.padStart(8),
    p50.padStart(8),
    p99.padStart(8),
    sent.padStart(8),
    now.padStart(6),
  ].join("");
}

function workerLine({ slot, loop, collecting, loopDelay, rss, heapUsed }: WorkerRow): string {
  const share = (value: number): string => `${Math.round(value * 100)} %`;
  return (
    `worker ${String(slot).padEnd(4)}loop ${share(loop).padEnd(7)}gc ${share(collecting).padEnd(6)}` +
    `delay ${`${loopDelay.toFixed(1)} ms`.padEnd(10)}memory ${bytes(rss).padEnd(8)}heap ${bytes(heapUsed)}`
  );
}

/** `123K`: in units of 1000. */
function short(value: number): string {
  if (value === 0) return "0";
  if (value < 10) return value.toFixed(2);
  if (value < 1000) return value.toFixed(1);
  if (value < 100_000) return String(Math.round(value));
  return value < 1e8 ? `${Math.round(value / 1000)}K` : `${Math.round(value / 1e6)}M`;
}

function time(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 10 ? ms.toFixed(2) : ms < 1000 ? ms.toFixed(1) : String(Math.round(ms));
}

/** `12.3M`: in units of 1024. */
export function bytes(count: number): string {
  const units = ["", "K", "M", "G", "T"];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return unit === 0
    ? String(Math.round(value))
    : `${value < 100 ? value.toFixed(1) : String(Math.round(value))}${units[unit] ?? ""}`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
