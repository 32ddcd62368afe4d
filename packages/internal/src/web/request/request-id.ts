// The ids of requests: start time and pid of the process, and a counter. A request has the number only: few ids are
// read as text, and log lines are put together from parts that many ids share.

import { flat } from "../../log/lines/flat.ts";

const prefix = `${Date.now().toString(36)}-${process.pid.toString(36)}-`;
/** The last two digits of the counter, once they were needed. */
const lastDigits = Array.from<string | undefined>({ length: 36 * 36 });
let next = 0;

/** Of a request of this process. */
export function nextRequestNumber(): number {
  return next++;
}

/** Unique among all requests of all processes. */
export function requestIdOf(number: number): string {
  return idStartOf(number) + idEndOf(number);
}

/** All but the last two digits: the same for that many requests in succession. */
export function idStartOf(number: number): string {
  const round = Math.trunc(number / lastDigits.length);
  if (round !== latest.round) latest = { round, start: flat(prefix + round.toString(36)) };
  return latest.start;
}

/** The last two digits. */
export function idEndOf(number: number): string {
  const last = number % lastDigits.length;
  return (lastDigits[last] ??= flat(last.toString(36).padStart(2, "0")));
}

let latest = { round: NaN, start: "" };
