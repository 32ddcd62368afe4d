// The commands for a program that runs: they call its control socket, and print what it answers.

import type { CommandLine } from "../command-line.ts";
import type { Actions, WorkerStatus } from "../control/actions.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { planText } from "../control/plan-text.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

/** The commands that are an action without parameters, and how their result is shown to people. */
const texts: { readonly [Name in SteeringName]: (result: Actions[Name]["result"]) => string } = {
  pids: ({ leader, workers }) => `${[leader, ...workers].join(" ")}\n`,
  leader: (status) =>
    [
      `leader    process ${status.pid} of ${status.title}, Hemi ${status.version}, Node.js ${status.node}, ${megabytes(status.rss)}`,
      `config    ${status.config}, followed anew ${status.reloads} ${status.reloads === 1 ? "time" : "times"}`,
      `workers   ${status.slots}`,
      `listens   ${status.listensOn.join(", ")}`,
      `since     ${new Date(status.startedAt).toISOString()}\n`,
    ].join("\n"),
  workers: (workers) => `${["slot  pid      state     memory    cpu", ...workers.map(workerText)].join("\n")}\n`,
  reload: planText,
  rework: ({ workers, leader }) => {
    const counted = `${workers} ${workers === 1 ? "worker" : "workers"}`;
    return leader === null ? `replaced ${counted}\n` : `process ${leader} leads, with ${counted}\n`;
  },
  reopen: () => "opened its logs anew\n",
  quit: () => "ends when what runs is finished\n",
  stop: () => "ends at once\n",
};

export type SteeringName = Exclude<
  keyof Actions,
  | "plan"
  | "version"
  | "explain"
  | "counts"
  | "profile"
  | "measure"
  | "advise"
  | "backends"
  | "steerNode"
  | "logs"
  | "trace"
  | "logLevel"
  | "webUI"
  | `cache${string}`
  | `cron${string}`
>;

/** Calls the action of the command's name. */
export async function steer(line: CommandLine & { readonly command: SteeringName }): Promise<ExitCode> {
  return await show(line.command, line);
}

async function show<Name extends SteeringName>(name: Name, line: CommandLine): Promise<ExitCode> {
  const result = await callProgram(programPlace(line), name, paramsOf(name, line));
  process.stdout.write(line.isJSON ? `${JSON.stringify(result, undefined, 2)}\n` : texts[name](result));
  return exitCodes.fine;
}

/** Actions of other commands take nothing. */
function paramsOf(name: SteeringName, line: CommandLine) {
  // One object fits both actions.
  return name === "reload" || name === "rework" ? { rework: line.isRework, leader: line.isLeader } : undefined;
}

function workerText({ slot, pid, state, rss, cpu }: WorkerStatus): string {
  const memory = rss === null ? "?" : megabytes(rss);
  const time = cpu === null ? "?" : `${(cpu / 1000).toFixed(1)} s`;
  return `${String(slot).padEnd(6)}${String(pid).padEnd(9)}${state.padEnd(10)}${memory.padEnd(10)}${time}`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}
