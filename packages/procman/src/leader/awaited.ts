// Who waits for the process of the leader, and would take its end for the end of the program.

import { readFile } from "node:fs/promises";

/** Why another process cannot go on in the place of this leader, in words; `undefined`: it can. */
export async function whyAwaited(env: NodeJS.ProcessEnv, hasPredecessor: boolean): Promise<string | undefined> {
  const { pid, ppid } = process;
  if (pid === 1) return "it is process 1, and its container ends with it";
  // systemd is told of the new main process.
  if (env["NOTIFY_SOCKET"] !== undefined) return undefined;
  if (env["SYSTEMD_EXEC_PID"] === String(pid)) return "systemd waits for it; its unit needs Type=notify";
  // A process manager that talks to its child.
  const isHeld = process.connected && !hasPredecessor;
  if (!isHeld && (await leadsSession())) return undefined;
  return `process ${ppid} has started it and waits for it; start the program by hemi serve --daemon, or by systemd`;
}

/** As a process in the background does. */
async function leadsSession(): Promise<boolean> {
  const stats = await readFile("/proc/self/stat", "latin1").catch(() => undefined);
  // Without /proc: process 1 inherits a process whose parent has ended.
  if (stats === undefined) return process.ppid === 1;
  // The name of the process, in parentheses, may contain anything. Then: state, parent, group, session.
  const [, , , session] = stats.slice(stats.lastIndexOf(")") + 2).split(" ");
  return session === String(process.pid);
}
