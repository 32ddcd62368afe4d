// Starts a process of the program: a worker, a checker, or the web UI.

import { spawn, type ChildProcess } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import type { Output } from "./output.ts";

/** How the processes of a program are started. */
export interface ChildOptions {
  /** Their identity; default: that of the leader. */
  readonly user?: number | undefined;
  readonly group?: number | undefined;
  /** Where their output goes; default: the standard output and standard error of the leader. */
  readonly output?: Output | undefined;
}

export function startChild(
  entry: "worker" | "checker" | "webui",
  { user, group, output }: ChildOptions = {},
): ChildProcess {
  const path = fileURLToPath(import.meta.resolve(`@hemi/procman/${entry}`));
  const [stdout, stderr] = output?.stdio ?? ["inherit", "inherit"];
  const child = spawn(process.execPath, [...nodeOptions(), path], {
    stdio: ["ignore", stdout, stderr, "ipc"],
    env: { ...process.env, ...cacheOfCode() },
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
  return new Promise((resolve) => {
    child.on("error", (error) => {
      if (child.pid === undefined) resolve(`could not be started: ${error.message}`);
    });
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `ended with exit code ${code ?? 0}` : `was ended by ${signal}`);
    });
  });
}

/** Two processes cannot share the port of a debugger. */
function nodeOptions(): readonly string[] {
  return process.execArgv.filter((option) => !option.startsWith("--inspect"));
}

/** Where compiled code is kept between runs: without it, a process takes twice the time to start. */
function cacheOfCode(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
