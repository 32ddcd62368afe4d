// The limit of descriptors of the process: files, sockets and all others together.

import { readFileSync } from "node:fs";

/**
 * The current limit (RLIMIT_NOFILE; Node has raised it to the maximum); Infinity if there is no limit or it is unknown.
 * Node has no API for it; Linux shows it in /proc.
 */
export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
