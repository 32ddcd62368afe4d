// Starts Node.js with an entry of this package. Loads nothing else of it: see `ahead.ts`.

import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { youngGenerationOptions } from "../memory/young-generation.ts";
import { listenVariables } from "../systemd/listen-variables.ts";

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
  const args = [...nodeOptions(), ...youngGenerationOptions(), path, String(process.pid)];
  return spawn(process.execPath, args, { stdio, env: environmentOfChild(), ...identity });
}

/** Two processes cannot share the port of a debugger. */
export function nodeOptions(): readonly string[] {
  return process.execArgv.filter((option) => !option.startsWith("--inspect"));
}

/**
 * Of such a process. `compiled`: where this process keeps compiled code between runs: without it, a process takes twice
 * the time to start.
 */
export function environmentOfChild(own = process.env, compiled = getCompileCacheDir()): NodeJS.ProcessEnv {
  const env = { ...own };
  for (const name of listenVariables) Reflect.deleteProperty(env, name);
  // Node.js has a folder for each of its versions in the one that it is given, and tells that.
  return compiled === undefined ? env : { ...env, NODE_COMPILE_CACHE: dirname(compiled) };
}
