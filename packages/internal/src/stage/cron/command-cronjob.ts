// commandCronjob: runs a program by a schedule, in a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { afterRunning } from "@hemi/common";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { examineFolder } from "../../component/examine-files.ts";
import type { Context } from "../context.ts";
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
  create: (context): Part & ManagedCronjob => new CommandCronjob(context),
});

class CommandCronjob extends ScheduledWork {
  readonly #props: CommandProps;

  constructor(context: Context<CommandProps>) {
    const { props, log } = context;
    const work = async (signal: AbortSignal): Promise<void> => {
      const written = await runCommand(props, signal);
      if (written !== "") log.info("has written", { output: written });
    };
    super(context, work, props.killAfter + endingTime);
    this.#props = props;
  }

  examine(): Promise<void> {
    return examineFolder("folder", "the working directory", this.#props.folder);
  }
}

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
  const late = new AbortController();
  const waits: (() => void)[] = [];
  const abort = (): void => {
    kill(child, "SIGTERM");
    waits.push(afterRunning(killAfter, () => kill(child, "SIGKILL")));
    waits.push(afterRunning(killAfter + endingTime, () => late.abort()));
  };
  signal.addEventListener("abort", abort, { once: true });
  killAtExit(child);
  try {
    const end = await endOf(child);
    while (signal.aborted && !late.signal.aborted && kill(child, 0)) await pause(groupCheck);
    if (end !== "") throw new HemiError("HEMI_PROCESS", `${file} ${end}${output === "" ? "" : `: ${output.trim()}`}`);
    return output.trim();
  } finally {
    signal.removeEventListener("abort", abort);
    children.delete(child);
    for (const forget of waits) forget();
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

/** Otherwise it would outlive the worker, and nobody would end it. */
function killAtExit(child: ChildProcess): void {
  if (!isExitHeard) process.once("exit", () => children.forEach((child) => kill(child, "SIGKILL")));
  isExitHeard = true;
  children.add(child);
}

/** Those of this process. */
const children = new Set<ChildProcess>();
let isExitHeard = false;

/** The process and all that it has started; signal 0 only looks. False: all of them have ended. */
function kill({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** In milliseconds: how long processes take to end after SIGKILL. */
const endingTime = 1000;
/** In milliseconds: how often to look whether what an aborted program has started has ended. */
const groupCheck = 50;
/** In characters. */
const maxOutput = 4000;
