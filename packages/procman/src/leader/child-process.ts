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
  // Two processes cannot share the port of a debugger.
  const options = process.execArgv.filter((option) => !option.startsWith("--inspect"));
  const [stdout, stderr] = output?.stdio ?? ["inherit", "inherit"];
  const child = spawn(process.execPath, [...options, path], {
    stdio: ["ignore", stdout, stderr, "ipc"],
    env: { ...process.env, ...cacheOfCode() },
    ...(user === undefined ? {} : { uid: user }),
    ...(group === undefined ? {} : { gid: group }),
  });
  output?.take(child);
  return child;
}

/** Where compiled code is kept between runs: without it, a process takes twice the time to start. */
function cacheOfCode(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
