// The public API of the process manager.

export { exitCodes, type ExitCode } from "./exit-code.ts";
export { runCommand } from "./run-command.ts";
