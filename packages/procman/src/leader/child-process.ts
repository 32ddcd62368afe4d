// Starts a process of the program: a worker, or a checker.

import { spawn, type ChildProcess } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";

/** Output goes to the standard output and standard error of the program. */
export function startChild(entry: "worker" | "checker", { user, group }: Privileges = {}): ChildProcess {
  const path = fileURLToPath(import.meta.resolve(`@hemi/procman/${entry}`));
  // Two processes cannot share the port of a debugger.
  const options = process.execArgv.filter((option) => !option.startsWith("--inspect"));
  return spawn(process.execPath, [...options, path], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...cacheOfCode() },
    ...(user === undefined ? {} : { uid: user }),
    ...(group === undefined ? {} : { gid: group }),
  });
}

/** The identity of a process; default: that of the leader. */
export interface Privileges {
  readonly user?: number | undefined;
  readonly group?: number | undefined;
}

/** Where compiled code is kept between runs: without it, a process takes twice the time to start. */
function cacheOfCode(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
