// Waiting with a deadline.

/**
 * What comes of the work, or `late` if that takes longer than until `at` (milliseconds since the epoch), or until
 * `hastened` resolves. What is done without I/O and timers is never late. What comes of late work, errors too, is
 * ignored.
 */
export async function untilDeadline(
  work: void | Promise<void>,
  at: number,
  hastened?: Promise<void>,
): Promise<"done" | "late"> {
  if (work === undefined) return "done";
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  // Timers cannot be set further than this: 24 days.
  const timer = setTimeout(() => resolve("late"), Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1));
  void hastened?.then(() => resolve("late"));
  try {
    return await Promise.race([work.then(() => "done" as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
