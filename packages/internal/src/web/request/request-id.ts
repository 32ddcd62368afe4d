// The ids of requests: when and where the process began, and a count.

import { flat } from "../flat.ts";

const prefix = `${Date.now().toString(36)}-${process.pid.toString(36)}-`;
/** The last two digits of the count. All else stays for so many requests, and is joined once. */
const lastDigits = Array.from({ length: 36 * 36 }, (_, i) => i.toString(36).padStart(2, "0"));
let rounds = 0;
let start = "";
let next = lastDigits.length;

/** Unlike that of any other request of any process. */
export function nextRequestId(): string {
  if (next === lastDigits.length) {
    start = flat(prefix + (rounds++).toString(36));
    next = 0;
  }
  return start + lastDigits[next++];
}
