// What the hemi command tells the shell, and how an error finds its code.

import { HemiError } from "@hemi/hemi";

export const exitCodes = {
  fine: 0,
  /** Wrong use of the command, or a wrong configuration. */
  wrongUse: 1,
  /** Something was thrown that nothing caught. */
  crashed: 1,
  /** The environment: a port that is taken, a file that cannot be read. */
  environment: 2,
  /** explain: nothing takes the request, or it leads to no server. */
  notTaken: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The code for what was thrown; of a failure in a stage its causes count. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof HemiError)) {
    return error instanceof AggregateError && error.errors.length > 0
      ? exitCodeOf(error.errors[0])
      : exitCodes.environment;
  }
  const { code } = error;
  if (code.startsWith("HEMI_CONFIG_") || code === "HEMI_USAGE" || code === "HEMI_MODULE") return exitCodes.wrongUse;
  return error.cause === undefined ? exitCodes.environment : exitCodeOf(error.cause);
}
