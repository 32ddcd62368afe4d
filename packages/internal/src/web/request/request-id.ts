// The ids of requests: start time and pid of the process, and a counter.

import { flat } from "../../log/lines/flat.ts";

const prefix = `${Date.now().toString(36)}-${process.pid.toString(36)}-`;
/**
 * The last two digits of the counter, once they were needed. The rest changes only after this many requests, and is
 * joined once.
 */
const lastDigits = Array.from<string | undefined>({ length: 36 * 36 });
let rounds = 0;
let start = "";
let next = lastDigits.length;

/** Unique among all requests of all processes. */
export function nextRequestId(): string {
  if (next === lastDigits.length) {
    start = flat(prefix + (rounds++).toString(36));
    next = 0;
  }
  const digits = (lastDigits[next] ??= next.toString(36).padStart(2, "0"));
  next++;
  return start + digits;
}
