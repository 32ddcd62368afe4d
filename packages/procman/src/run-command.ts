// Runs a command line, and converts errors to one clear message and an exit code.

import { readCommandLine, type CommandLine, type ProgramDefaults } from "./command-line.ts";
import type { CommandName } from "./command-options.ts";
import { steer, type SteeringName } from "./commands/steer.ts";
import { describeError } from "./describe-error.ts";
import { exitCodeOf, type ExitCode } from "./exit-code.ts";

type Command = (line: CommandLine) => ExitCode | Promise<ExitCode>;

/** Each command is loaded when it is run: the process that leads workers does not load the engine. */
const commands: Readonly<Record<Exclude<CommandName, SteeringName>, () => Promise<Command>>> = {
  serve: async () => (await import("./commands/serve.ts")).serve,
  check: async () => (await import("./commands/check.ts")).check,
  explain: async () => (await import("./commands/explain.ts")).explain,
  plan: async () => (await import("./commands/plan.ts")).plan,
  top: async () => (await import("./commands/top.ts")).top,
  status: async () => (await import("./commands/status.ts")).status,
  cpu: async () => (await import("./commands/profile.ts")).profile,
  heap: async () => (await import("./commands/profile.ts")).profile,
  report: async () => (await import("./commands/profile.ts")).profile,
  loop: async () => (await import("./commands/measure.ts")).measure,
  gc: async () => (await import("./commands/measure.ts")).measure,
  advise: async () => (await import("./commands/advise.ts")).advise,
  backend: async () => (await import("./commands/backend.ts")).backend,
  "log-level": async () => (await import("./commands/log-level.ts")).logLevel,
  trace: async () => (await import("./commands/trace.ts")).trace,
  logs: async () => (await import("./commands/logs.ts")).logs,
  cache: async () => (await import("./commands/cache.ts")).cache,
  cron: async () => (await import("./commands/cron.ts")).cron,
  webui: async () => (await import("./commands/web-ui.ts")).webUICommand,
  rpc: async () => (await import("./commands/rpc.ts")).rpc,
  fmt: async () => (await import("./commands/format.ts")).format,
  "hash-password": async () => (await import("./commands/hash-password.ts")).hashPasswordCommand,
  help: async () => (await import("./commands/help.ts")).help,
  version: async () => (await import("./commands/version.ts")).version,
};

/** `args` without the program's name. Writes to standard output and standard error; never rejects. */
export async function runCommand(args: readonly string[], program: ProgramDefaults): Promise<ExitCode> {
  try {
    const line = readCommandLine(args, program);
    const { command } = line;
    if (!(command in commands)) return await steer({ ...line, command: command as SteeringName });
    const run = await commands[command as keyof typeof commands]();
    return await run(line);
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}
