// What cronjobs do, for people. Times are those of the job's zone.

import type { CronjobHistory, CronjobStatus, CronjobTimes, RunRecord } from "@hemi/hemi";

/** One line for each cronjob: when it runs next, and how it ran last. */
export function cronListText(jobs: readonly CronjobStatus[], now: number): string {
  if (jobs.length === 0) return "the program has no cronjobs\n";
  const rows = jobs.map(({ name, schedule, zone, isRunning, next, last }) => [
    name,
    schedule,
    zone ?? "",
    isRunning ? "runs now" : next === null ? "never again" : `${localTime(next, zone)}, ${duration(next - now)}`,
    last === null ? "" : `${last.outcome} ${localTime(last.startedAt, zone)}`,
  ]);
  return table([["NAME", "SCHEDULE", "ZONE", "NEXT", "LAST"], ...rows]);
}

/** The times of each cronjob, one on a line. */
export function cronPreviewText(jobs: readonly CronjobTimes[]): string {
  if (jobs.length === 0) return "the program has no cronjobs\n";
  const blocks = jobs.map(({ name, zone, times, isCut }) => {
    const lines = times.map((time) => `  ${localTime(time, zone)}`);
    if (isCut) lines.push(`  … and more: these are the first ${times.length}`);
    return [`${name}${zone === null ? "" : ` (${zone})`}`, ...(lines.length === 0 ? ["  never"] : lines)].join("\n");
  });
  return `${blocks.join("\n")}\n`;
}

/** The runs of each cronjob, one on a line, latest last. */
export function cronHistoryText(jobs: readonly CronjobHistory[]): string {
  if (jobs.length === 0) return "the program has no cronjobs\n";
  const blocks = jobs.map(({ name, runs }) => {
    const lines = runs.map((run) => `  ${runText(run)}`);
    return [name, ...(lines.length === 0 ? ["  no runs are known"] : lines)].join("\n");
  });
  return `${blocks.join("\n")}\n`;
}

/** One run on one line. */
export function runText({ startedAt, endedAt, cause, outcome, attempts, error }: RunRecord): string {
  const took = endedAt === undefined ? "" : `, ${duration(endedAt - startedAt).replace("in ", "")}`;
  const tries = attempts > 1 ? `, ${attempts} attempts` : "";
  const why = cause === "schedule" ? "" : ` (${cause})`;
  const [reason = ""] = (error ?? "").split("\n");
  return `${localTime(startedAt, null)}  ${outcome}${why}${took}${tries}${reason === "" ? "" : `: ${reason}`}`;
}

/** `2027-03-28 03:00:00 +02:00`, in the zone of the job, or that of this machine. */
function localTime(time: number, zone: string | null): string {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
  const offset = part("timeZoneName").replace("GMT", "") || "+00:00";
  const date = `${part("year")}-${part("month")}-${part("day")}`;
  return `${date} ${part("hour")}:${part("minute")}:${part("second")} ${offset}`;
}

const formats = new Map<string | null, Intl.DateTimeFormat>();

function formatOf(zone: string | null): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const digits = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit" } as const;
  const format = new Intl.DateTimeFormat("en-GB", {
    ...digits,
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
    ...(zone === null ? {} : { timeZone: zone }),
  });
  formats.set(zone, format);
  return format;
}

/** `in 3 h 20 min`; the two largest units. */
function duration(time: number): string {
  const seconds = Math.max(0, Math.round(time / 1000));
  if (seconds < 1) return `in ${Math.max(0, Math.round(time))} ms`;
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  let rest = seconds;
  const texts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count} ${unit}`;
  });
  return `in ${texts.filter((text) => text !== "").join(" ")}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  return `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`;
}
