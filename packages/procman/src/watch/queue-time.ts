// How long the main thread of this process has waited for a processor: a machine with more work than processors may let
// it wait for seconds, while another thread, which needs little, runs in time.

import { openSync, readSync } from "node:fs";

/** Returns what reads that time, in milliseconds since its start. Always 0 where the system (not Linux) is silent. */
export function queueTimeReader(): () => number {
  let file: number;
  try {
    // The id of the main thread is that of the process.
    file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  } catch {
    return () => 0;
  }
  const buffer = Buffer.alloc(64);
  return () => {
    // Time on a processor, time in the queue of one, and how often it was there: proc(5). In nanoseconds.
    const text = buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0));
    return Number(text.split(" ")[1] ?? 0) / 1e6;
  };
}
