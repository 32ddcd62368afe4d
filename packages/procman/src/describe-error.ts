// The text of an error for people.

import { faultDetails, ModuleError } from "@hemi/hemi/base";

/** Problems of a configuration are given in the form that editors know; any other error is one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `hemi: ${String(error)}`;
  if (error.name === "RemoteError" || error.name === "ConfigError") return error.message;
  if (error instanceof ModuleError) {
    const { message, fault } = error;
    return [`hemi: ${message}${fault.fix === undefined ? "" : `; ${fault.fix}`}`, faultDetails(fault)]
      .join("\n")
      .trimEnd();
  }
  return `hemi: ${error.message}`;
}
