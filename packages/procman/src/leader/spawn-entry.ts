// Starts Node.js with an entry of this package. Loads nothing else of it: see `ahead.ts`.

import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";

export type Entry = "worker" | "checker" | "webui";

/**
 * With an IPC channel, and the process id of this process as its argument. `identity`: its user and group id; default:
 * those of this process.
 */
export function spawnEntry(
  entry: Entry,
  [stdout, stderr]: readonly ["pipe" | "inherit", "pipe" | "inherit"],
  identity: { readonly uid?: number; readonly gid?: number } = {},
): ChildProcess {
  const path = fileURLToPath(import.meta.resolve(`@hemi/procman/${entry}`));
  const stdio: StdioOptions = ["ignore", stdout, stderr, "ipc"];
  const env = { ...process.env, ...cacheOfCode() };
  return spawn(process.execPath, [...nodeOptions(), path, String(process.pid)], { stdio, env, ...identity });
}

/** Two processes cannot share the port of a debugger. */
export function nodeOptions(): readonly string[] {
  return process.execArgv.filter((option) => !option.startsWith("--inspect"));
}

/** Where compiled code is kept between runs: without it, a process takes twice the time to start. */
function cacheOfCode(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}
