// The options of `hemi serve` that workers and checkers need.

import type { ServeOptions } from "./channel/calls.ts";
import type { CommandLine } from "./command-line.ts";

export function serveOptionsOf(line: CommandLine): ServeOptions {
  const { title, config, base, logsDir, tmpsDir, varsDir, use, logLevel, logFormat, logFile, grace, stall } = line;
  return { title, config, base, logsDir, tmpsDir, varsDir, use, logLevel, logFormat, logFile, grace, stall };
}
