// commandCronjob: runs a program by a schedule, in a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

const props = {
  ...cronProps,
  /** The program and its arguments: `("/usr/bin/pg_dump", "shop")`. No shell reads them. */
  command: prop.strings({ required: true, min: 1, max: 1000 }),
  /** The working directory. Default: the base directory. */
  folder: prop.path({ default: "." }),
  /** Variables for its environment, besides those of the worker. */
  environment: prop.dict(prop.string(), { default: {} }),
  /** A program that is aborted gets SIGTERM, and so long after that SIGKILL, with all processes that it has started. */
  killAfter: prop.duration({ default: "5s", max: "1h" }),
};

type CommandProps = PropsOf<typeof props>;

/** Runs a program by a schedule. It fails if its exit code is not 0; the end of what it wrote is in the history. */
export const commandCronjob = defineCronjob({
  sign: "commandCronjob",
  props,
  offers: [managedCronjob],
  check: (context) => checkCronProps(context),
  create: (context): Part & ManagedCronjob =>
    new ScheduledWork(context, async (signal) => {
      const written = await runCommand(context.props, signal);
      if (written !== "") context.log.info("has written", { output: written });
    }),
});

/** Resolves with the end of its output, when the process has ended. */
async function runCommand(
  { command: [file = "", ...args], folder, environment, killAfter }: CommandProps,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, ...Object.fromEntries(environment) },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: what it has started can be ended with it.
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => (output = (output + piece).slice(-maxOutput)));
  }
  let killing: NodeJS.Timeout | undefined;
  const abort = (): void => {
    kill(child, "SIGTERM");
    killing = setTimeout(() => kill(child, "SIGKILL"), killAfter);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    const end = await endOf(child);
    if (end !== "") throw new HemiError("HEMI_PROCESS", `${file} ${end}${output === "" ? "" : `: ${output.trim()}`}`);
    return output.trim();
  } finally {
    signal.removeEventListener("abort", abort);
    clearTimeout(killing);
  }
}

/** "" for an exit code of 0. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      // Its own children may hold its output open.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(code === 0 ? "" : signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  });
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** In characters. */
const maxOutput = 4000;
