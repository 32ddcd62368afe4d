// What the machine has, and how a process is put on one of its cores.

import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

/** The root of the workspace. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The `hemi` command as it is installed in the workspace. */
export const hemiCommand = `${root}node_modules/.bin/hemi`;

export const serverCore = 0;
export const loadCore = 1;

/** The path of a program, `undefined` if it is not installed. */
export function findProgram(name: string): string | undefined {
  try {
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

const taskset = availableParallelism() > 1 ? findProgram("taskset") : undefined;

/** A command that runs on one core only; as it is where that cannot be had, or `core` is undefined. */
export function pinned(core: number | undefined, command: readonly string[]): readonly [string, ...string[]] {
  const isPinned = taskset !== undefined && core !== undefined;
  const [program = "", ...args] = isPinned ? [taskset, "-c", String(core), ...command] : command;
  return [program, ...args];
}

/** Puts a process that runs, with all its threads, on one core only; leaves it where that cannot be had. */
export function pinProcess(core: number, pid: number): void {
  if (taskset !== undefined) execFileSync(taskset, ["-a", "-c", "-p", String(core), String(pid)], { stdio: "ignore" });
}
