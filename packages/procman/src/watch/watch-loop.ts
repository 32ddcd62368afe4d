// Watches the event loop of this process from a thread of its own. A loop that stands still for too long is reported
// with the line of code where it stands, and the process is killed: its supervisor replaces it.
//
// The thread sees JavaScript and regular expressions. A synchronous call into native code cannot be interrupted: then
// the report says so.

import { Worker } from "node:worker_threads";
import type { StallReportOptions } from "./stall-thread.ts";

export interface WatchOptions {
  /** How long the loop may stand still, in milliseconds; 0: for ever. */
  readonly limit: number;
  /** Of the report, which is written to standard error. */
  readonly format: "text" | "json";
}

/** Returns the function that ends the watch. */
export function watchLoop({ limit, format }: WatchOptions): () => void {
  if (limit === 0) return () => {};
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const options: StallReportOptions = { beats, limit, format };
  const thread = new Worker(new URL(import.meta.resolve("@hemi/procman/stall-thread")), {
    workerData: options,
    // The thread needs little, and shall not grow beside the heap of the process.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  thread.unref();
  const beat = setInterval(() => Atomics.add(beats, 0, 1), Math.min(Math.max(limit / 4, 10), 500));
  beat.unref();
  return () => {
    clearInterval(beat);
    void thread.terminate();
  };
}
