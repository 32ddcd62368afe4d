// The public API of the process manager.

export { main, type ProgramOptions } from "./program.ts";
export { exitCodes, type ExitCode } from "./exit-code.ts";
