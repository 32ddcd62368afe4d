// The text of an error for people.

import { faultDetails, HemiError, ModuleError } from "@hemi/hemi/base";

/**
 * Problems of a configuration are given in the form that editors know; any other error is one line. Where the code of a
 * component has failed, the lines of its stack follow.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `hemi: ${String(error)}`;
  if (error.name === "RemoteError" || error.name === "ConfigError") return error.message;
  if (error instanceof ModuleError) {
    const { message, fault } = error;
    return [`hemi: ${message}${fault.fix === undefined ? "" : `; ${fault.fix}`}`, faultDetails(fault)]
      .join("\n")
      .trimEnd();
  }
  return [`hemi: ${error.message}`, ...framesOfComponent(error)].join("\n");
}

/** Of what a component has thrown in `create`, `prepare` or `start`, as far as it is no error that we have worded. */
function framesOfComponent(error: Error): readonly string[] {
  if (!(error instanceof HemiError) || !error.code.startsWith("HEMI_STAGE_")) return [];
  const { cause } = error;
  if (!(cause instanceof Error) || cause instanceof HemiError) return [];
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^ +at .*:\d+:\d+\)?$/.test(line));
  const caller = frames.findIndex((frame) => ofCaller.test(frame));
  const own = caller === -1 ? frames : frames.slice(0, caller);
  return own.filter((frame) => !/\bnode:/.test(frame)).slice(0, maxFrames);
}

const maxFrames = 10;
/** A frame of the package that calls components. */
const ofCaller = /[/\\](?:@hemi|packages)[/\\]internal[/\\](?:src|dist)[/\\]/;
