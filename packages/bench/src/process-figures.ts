// What a process takes of the machine: the /proc of Linux.

import { readFileSync } from "node:fs";

/** Resident memory, in bytes. */
export function residentMemory(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}

/** The time of the processor since its start, in milliseconds. */
export function cpuTime(pid: number): number {
  const stats = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the process, in parentheses, may contain anything.
  const fields = stats.slice(stats.lastIndexOf(")") + 2).split(" ");
  const [user, system] = fields.slice(timeFields, timeFields + 2).map(Number);
  return ((user ?? NaN) + (system ?? NaN)) * tick;
}

/** Counted from the field after the name: proc_pid_stat(5). */
const timeFields = 11;
/** USER_HZ of Linux, which is the same on all its machines, as milliseconds. */
const tick = 10;
