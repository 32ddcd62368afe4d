// Limits and counters of the machine. Only Linux tells them; elsewhere they are not known.

import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { MachineFacts } from "./facts.ts";

/** What is read once, and the drops since the machine has started, of which advice needs the growth. */
export interface MachineState extends Omit<MachineFacts, "listenDrops"> {
  readonly dropsSinceStart: number | undefined;
}

/** `root`: default: `/`. Never rejects. */
export async function machineState(root = "/"): Promise<MachineState> {
  const read = (path: string): Promise<string> => readFile(`${root}${path}`, "utf8").catch(() => "");
  const [somaxconn, netstat, groups] = await Promise.all([
    read("proc/sys/net/core/somaxconn"),
    read("proc/net/netstat"),
    read("proc/self/cgroup"),
  ]);
  // The control group of this process in version 2; in a container it is often the root.
  const [, group = "/"] = /^0::(.*)$/m.exec(groups) ?? [];
  const limits = await Promise.all([
    read(`sys/fs/cgroup${group}/memory.max`),
    read("sys/fs/cgroup/memory.max"),
    read("sys/fs/cgroup/memory/memory.limit_in_bytes"),
  ]);
  return {
    cpus: availableParallelism(),
    somaxconn: numberOf(somaxconn),
    dropsSinceStart: listenDrops(netstat),
    memoryLimit: limits.map(memoryOf).find((limit) => limit !== undefined),
  };
}

/** Between two states. */
export function machineFacts(before: MachineState, after: MachineState): MachineFacts {
  const { dropsSinceStart, ...facts } = after;
  const { dropsSinceStart: dropsBefore } = before;
  const isKnown = dropsSinceStart !== undefined && dropsBefore !== undefined;
  return { ...facts, listenDrops: isKnown ? dropsSinceStart - dropsBefore : undefined };
}

/** Two lines for each protocol: names, then values. */
export function listenDrops(netstat: string): number | undefined {
  const [names = [], values = []] = netstat
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  const at = names.indexOf("ListenDrops");
  return at < 0 ? undefined : numberOf(values[at] ?? "");
}

/** Version 1 has a huge number for no limit, version 2 the word `max`. */
function memoryOf(text: string): number | undefined {
  const limit = numberOf(text);
  return limit === undefined || limit > 2 ** 50 ? undefined : limit;
}

function numberOf(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}
