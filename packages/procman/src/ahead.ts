// Starts the process of the first worker before this process has loaded its own modules: each of the two takes some
// 100 ms to start, and so they take it side by side. For this reason, this module loads nothing else of the program.

import type { ChildProcess } from "node:child_process";
import { predecessorVariable } from "./leader/predecessor-variable.ts";
import { spawnEntry } from "./leader/spawn-entry.ts";

let worker: ChildProcess | undefined;

/** `args`: of the command line. Starts nothing unless they ask for workers with the output of this process. */
export function startAhead([command, ...options]: readonly string[]): void {
  if (command !== "serve" || predecessorVariable in process.env) return;
  if (options.some((option) => otherwise.test(option))) return;
  worker = spawnEntry("worker", ["inherit", "inherit"]);
  // Whoever takes it sees that it could not be started.
  worker.on("error", () => {});
}

/** The options with which there is no such worker, or another process leads. */
const otherwise = /^--?(?:single|dev|daemon|user|group|stdout|stderr|help)(?:=|$)/;

/** The process, once; `undefined`: none was started. */
export function takeAhead(): ChildProcess | undefined {
  const taken = worker;
  worker = undefined;
  return taken?.pid === undefined ? undefined : taken;
}
