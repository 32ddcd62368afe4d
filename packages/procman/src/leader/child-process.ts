// Starts a process of the program: a worker, a checker, or the web UI.

import { spawn, type ChildProcess } from "node:child_process";
import { takeAhead } from "../ahead.ts";
import type { Output } from "./output.ts";
import { nodeOptions, spawnEntry, type Entry } from "./spawn-entry.ts";

/** How the processes of a program are started. */
export interface ChildOptions {
  /** Their identity; default: that of the leader. */
  readonly user?: number | undefined;
  readonly group?: number | undefined;
  /** Where their output goes; default: the standard output and standard error of the leader. */
  readonly output?: Output | undefined;
}

export function startChild(entry: Entry, { user, group, output }: ChildOptions = {}): ChildProcess {
  const stdio = output?.stdio ?? ["inherit", "inherit"];
  const isAsAhead = entry === "worker" && user === undefined && group === undefined && !stdio.includes("pipe");
  const ahead = isAsAhead ? takeAhead() : undefined;
  if (ahead !== undefined) return ahead;
  const child = spawnEntry(entry, stdio, {
    ...(user === undefined ? {} : { uid: user }),
    ...(group === undefined ? {} : { gid: group }),
  });
  // Without a free descriptor, there is no process, and no pipe either.
  if (child.pid !== undefined) output?.take(child);
  return child;
}

/**
 * Starts the command of this process once more, with the code and the Node.js that are installed by now. It gets a
 * session of its own and the output of this process, and does not end with it.
 */
export function startAgain(env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [...nodeOptions(), ...process.argv.slice(1)], {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env,
  });
}

/** Resolves when a process has ended or could not be started, with the reason in words. */
export function endOf(child: ChildProcess): Promise<string> {
  const reasonOf = (code: number | null, signal: NodeJS.Signals | null): string =>
    signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`;
  const { exitCode, signalCode } = child;
  // One that was started ahead.
  if (exitCode !== null || signalCode !== null) return Promise.resolve(reasonOf(exitCode, signalCode));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined) resolve(`could not be started: ${error.message}`);
    });
    child.once("exit", (code, signal) => resolve(reasonOf(code, signal)));
  });
}
