// The options of a stage that come from the command line.

import type { BootOptions } from "@hemi/hemi";
import type { ServeOptions } from "./channel/calls.ts";

/** Folders that are not given have their defaults in the base directory. */
export function bootOptionsOf({
  base,
  logsDir,
  tmpsDir,
  varsDir,
}: Pick<ServeOptions, "base" | "logsDir" | "tmpsDir" | "varsDir">): BootOptions {
  return {
    baseDir: base,
    ...(logsDir === undefined ? {} : { logsDir }),
    ...(tmpsDir === undefined ? {} : { tmpsDir }),
    ...(varsDir === undefined ? {} : { varsDir }),
  };
}
