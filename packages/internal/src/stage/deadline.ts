// Waiting with a deadline.

import { afterRunning } from "@hemi/common";

/**
 * What comes of the work, or `late` if that takes longer than until `at` (milliseconds since the epoch), or until
 * `hastened` resolves. The deadline moves when the process stands still meanwhile. What is done without I/O and timers
 * is never late. What comes of late work, errors too, is ignored.
 */
export async function untilDeadline(
  work: void | Promise<void>,
  at: number,
  hastened?: Promise<void>,
): Promise<"done" | "late"> {
  if (work === undefined) return "done";
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const forget = afterRunning(at - Date.now(), () => resolve("late"));
  void hastened?.then(() => resolve("late"));
  try {
    return await Promise.race([work.then(() => "done" as const), late]);
  } finally {
    forget();
  }
}
