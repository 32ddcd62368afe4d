// Waiting with a deadline.

import { afterRunning } from "@hemi/common";

/**
 * What comes of the work, or `late` if `over` resolves before. What is done without I/O and timers is never late. What
 * comes of late work, errors too, is ignored.
 */
export async function unlessOver(work: void | Promise<void>, over: Promise<void>): Promise<"done" | "late"> {
  if (work === undefined) return "done";
  return (await isResolved(over)) ? await untilDeadline(work, Date.now()) : await doneOrLate(work, over);
}

/**
 * The same with a time of its own: until `at`, in milliseconds since the epoch. It gets longer when the process stands
 * still meanwhile.
 */
export async function untilDeadline(work: void | Promise<void>, at: number): Promise<"done" | "late"> {
  if (work === undefined) return "done";
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const forget = afterRunning(at - Date.now(), resolve);
  try {
    return await doneOrLate(work, over);
  } finally {
    forget();
  }
}

function doneOrLate(work: Promise<void>, over: Promise<void>): Promise<"done" | "late"> {
  return Promise.race([work.then(() => "done" as const), over.then(() => "late" as const)]);
}

function isResolved(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Promise.resolve().then(() => false)]);
}
