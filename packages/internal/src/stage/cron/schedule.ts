// When a cronjob runs: a cron expression of five or six fields (with seconds first), a nickname such as `@daily`, or
// `every 90s`. The grammar of expressions is that of croner.
//
// On a day when the clocks change, an expression of one time has one run: when the gap ends if the time does not exist,
// at the first if it exists twice. With lists, ranges, steps or stars in the time, those that do not exist are left
// out, and others come twice: what runs each hour or more often, and `every`, goes on evenly.

import { Cron } from "croner";
import { HemiError } from "../../errors/hemi-error.ts";

/** Tells the times of a schedule. */
export interface Schedule {
  /** The first time after this one, both in milliseconds since the epoch; `undefined`: there is none any more. */
  next(after: number): number | undefined;
}

/**
 * Reads a schedule. `zone` is an IANA time zone such as `Europe/Berlin`; `undefined`: that of the machine. Throws
 * HEMI_USAGE with what is wrong.
 */
export function parseSchedule(text: string, zone: string | undefined): Schedule {
  const [, digits, unit = ""] = /^every\s+(\d{1,9})(s|m|h|d)$/.exec(text) ?? [];
  if (digits !== undefined) return everySoOften(Number(digits) * (milliseconds.get(unit) ?? 0), text);
  try {
    const cron = new Cron(text, { paused: true, ...(zone === undefined ? {} : { timezone: zone }) });
    // An unknown zone shows at the first use.
    cron.nextRun();
    return { next: (after) => cron.nextRun(new Date(after))?.getTime() };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `${JSON.stringify(text)} is no cron expression, no @daily, and no "every 90s": ${why}`;
    throw new HemiError("HEMI_USAGE", message, { cause });
  }
}

/**
 * The last time after `from` and not after `to`, both in milliseconds since the epoch; `undefined`: there is none. One
 * time costs up to 0.1 ms to compute: those between are not counted through.
 */
export function lastTimeBetween(schedule: Schedule, from: number, to: number): number | undefined {
  let last = schedule.next(from);
  if (last === undefined || last > to) return undefined;
  // After `end` there is none.
  let end = to;
  // Times are whole seconds.
  while (end - last >= 1000) {
    const middle = last + Math.floor((end - last) / 2);
    const next = schedule.next(middle);
    if (next !== undefined && next <= to) last = next;
    else end = middle;
  }
  return last;
}

/** Counted from the epoch: all machines, and the program after a restart, run it at the same times. */
function everySoOften(interval: number, text: string): Schedule {
  if (interval < 1000) throw new HemiError("HEMI_USAGE", `${JSON.stringify(text)}: at least every 1s`);
  return { next: (after) => (Math.floor(after / interval) + 1) * interval };
}

const milliseconds: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
