// Runs a command line, and converts errors to one clear message and an exit code.

import { faultDetails, ModuleError } from "@hemi/hemi";
import { readCommandLine, type CommandLine, type CommandName } from "./command-line.ts";
import { check } from "./commands/check.ts";
import { explain } from "./commands/explain.ts";
import { format } from "./commands/format.ts";
import { hashPasswordCommand } from "./commands/hash-password.ts";
import { help } from "./commands/help.ts";
import { serve } from "./commands/serve.ts";
import { version } from "./commands/version.ts";
import { exitCodeOf, type ExitCode } from "./exit-code.ts";

const commands: Readonly<Record<CommandName, (line: CommandLine) => ExitCode | Promise<ExitCode>>> = {
  serve,
  check,
  explain,
  fmt: format,
  "hash-password": hashPasswordCommand,
  help,
  version,
};

/** `args` without the program's name. Writes to standard output and standard error; never rejects. */
export async function runCommand(args: readonly string[]): Promise<ExitCode> {
  try {
    const line = readCommandLine(args);
    return await commands[line.command](line);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  }
}

/** Problems of a configuration are printed in the form that editors know; any other error is one line. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `hemi: ${String(error)}`;
  if (error instanceof ModuleError) {
    const { message, fault } = error;
    return [`hemi: ${message}${fault.fix === undefined ? "" : `; ${fault.fix}`}`, faultDetails(fault)]
      .join("\n")
      .trimEnd();
  }
  return error.name === "ConfigError" ? error.message : `hemi: ${error.message}`;
}
