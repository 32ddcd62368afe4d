// A limit for the time of an answer.

import { HemiError } from "@hemi/hemi/base";

/** Rejects with HEMI_PROCESS, which says that `subject` did not happen, after `time` milliseconds. */
export async function within<Result>(time: number, subject: string, answer: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new HemiError("HEMI_PROCESS", `${subject} within ${time} ms`)), time);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
