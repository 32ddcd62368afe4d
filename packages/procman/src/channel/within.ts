// A limit for the time of an answer.

import { afterRunning } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";

/**
 * Rejects with HEMI_PROCESS, which says that `subject` did not happen, when this process has run for `time`
 * milliseconds.
 */
export async function within<Result>(time: number, subject: string, answer: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const forget = afterRunning(time, () => reject(new HemiError("HEMI_PROCESS", `${subject} within ${time} ms`)));
  try {
    return await Promise.race([answer, late]);
  } finally {
    forget();
  }
}
