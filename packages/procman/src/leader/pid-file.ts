// The pid file of a program: one line with the process id of its leader, for tools that want to send signals.

import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { HemiError } from "@hemi/hemi/base";

/**
 * Writes the file at once or not at all, so that no reader sees half a number. A file that an ended program has left is
 * replaced. Rejects with HEMI_PROCESS if the process in it still runs, and with HEMI_FILE if it cannot be written.
 */
export async function writePidFile(path: string): Promise<void> {
  const other = await readPid(path);
  if (other !== undefined && other.pid !== process.pid && (await isRunning(other))) {
    throw new HemiError(
      "HEMI_PROCESS",
      `the pid file ${path} belongs to process ${other.pid}, which runs; stop it, or choose another file`,
    );
  }
  const publish = await draftPidFile(path);
  await publish();
}

/**
 * Writes the content beside the file. Returns the function that puts it in the place of the file, whatever is in that.
 * Both reject with HEMI_FILE.
 */
export async function draftPidFile(path: string): Promise<() => Promise<void>> {
  const draft = draftOf(path);
  await orNoDraft(path, () => writeFile(draft, `${process.pid}\n`));
  return () => orNoDraft(path, () => rename(draft, path));
}

/** Removes the file, unless another program has written it meanwhile; and a draft that was not needed. */
export async function removePidFile(path: string): Promise<void> {
  await removePidDraft(path, process.pid);
  if (await hasOwnPid(path)) await rm(path, { force: true }).catch(() => {});
}

/** Whether the file names this process. */
export async function hasOwnPid(path: string): Promise<boolean> {
  return (await readPid(path))?.pid === process.pid;
}

/** Removes what a killed process has written beside the file. */
export async function removePidDraft(path: string, pid: number): Promise<void> {
  await rm(draftOf(path, pid), { force: true }).catch(() => {});
}

function draftOf(path: string, pid = process.pid): string {
  return `${path}.${pid}`;
}

async function orNoDraft(path: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (cause) {
    await removePidDraft(path, process.pid);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `the pid file ${path} cannot be written: ${reason}`, { cause });
  }
}

interface WrittenPid {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly writtenAt: number;
}

async function readPid(path: string): Promise<WrittenPid | undefined> {
  try {
    const text = await readFile(path, "latin1");
    const [, digits] = /^(\d{1,10})\n$/.exec(text) ?? [];
    const { mtimeMs } = await stat(path);
    return digits === undefined ? undefined : { pid: Number(digits), writtenAt: mtimeMs };
  } catch {
    return undefined;
  }
}

/** The system gives numbers again: a process that began after the file was written is another one. */
async function isRunning({ pid, writtenAt }: WrittenPid): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, and belongs to another user.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  const startedAt = await startOf(pid);
  return startedAt === undefined || startedAt <= writtenAt + clockTolerance;
}

/** Milliseconds since the epoch; `undefined` without the /proc of Linux. */
async function startOf(pid: number): Promise<number | undefined> {
  try {
    const [stats, uptime] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "latin1"),
      readFile("/proc/uptime", "latin1"),
    ]);
    // The name of the process, in parentheses, may contain anything.
    const fields = stats.slice(stats.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[startTimeField]);
    return Date.now() - Number.parseFloat(uptime) * 1000 + (ticks * 1000) / ticksPerSecond;
  } catch {
    return undefined;
  }
}

/** Counted from the field after the name: proc_pid_stat(5). */
const startTimeField = 19;

/** USER_HZ of Linux, which is the same on all its machines. */
const ticksPerSecond = 100;

/** In milliseconds: both times are rounded. */
const clockTolerance = 1000;
