// The exit codes of the hemi command, and the code for an error.

import { HemiError } from "@hemi/hemi/base";

export const exitCodes = {
  fine: 0,
  /** Wrong use of the command, or an invalid configuration. */
  wrongUse: 1,
  /** An uncaught error. */
  crashed: 1,
  /** The environment: a port in use, an unreadable file. */
  environment: 2,
  /** explain: no rule takes the request, or it reaches no server. */
  notTaken: 3,
  /** rpc: the server answered with an error, or not at all. */
  callFailed: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The code for a thrown value; for a failure in a stage, its causes are considered. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Error && error.name === "RemoteError" && "exitCode" in error) return error.exitCode as ExitCode;
  if (!(error instanceof HemiError)) {
    return error instanceof AggregateError && error.errors.length > 0
      ? exitCodeOf(error.errors[0])
      : exitCodes.environment;
  }
  const { code } = error;
  if (code.startsWith("HEMI_CONFIG_") || code === "HEMI_USAGE" || code === "HEMI_MODULE") return exitCodes.wrongUse;
  return error.cause === undefined ? exitCodes.environment : exitCodeOf(error.cause);
}
