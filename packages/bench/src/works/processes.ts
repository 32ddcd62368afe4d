// What several workers cost, and how connections spread over them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { comparePairs } from "../comparison.ts";
import { startProgram, type HemiProgram } from "../hemi-program.ts";
import { measure } from "../load.ts";
import { loadCore, pinProcess, root, serverCore } from "../machine.ts";
import { cpuTime, residentMemory } from "../process-figures.ts";
import { startServer } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Work } from "../work.ts";
import { get, open } from "./idle-memory.ts";

const text = (): string => readFileSync(servers.confFile("return-text.conf"), "utf8");

const conns = 1000;

const spread: Work = {
  name: `spread of ${conns} new connections over 2 workers`,
  needs: [],
  async run() {
    await using program = await startProgram({ config: text(), workers: 2 });
    const sockets = await open(program, get, conns);
    const shares = (await program.workers()).map((worker) => worker.conns).sort((a, b) => a - b);
    for (const socket of sockets) socket.destroy();
    const figure = shares.map((share) => Math.round((100 * share) / conns)).join(" : ");
    return [{ against: "", ours: figure, theirs: "", figure, atLeast: "40 : 60", aim: "47 : 53" }];
  },
};

/** The workers have a core each, as a program has that starts one for each core, and so has the one process. */
const cores = [serverCore, loadCore] as const;

/** Of each process, in two halves. */
const connsOfProcess = 64;

/**
 * A third core for the load is not asked for, so it is on both: half of all connections come from the core where their
 * process runs, half from the other one, with two workers as with one process. What the kernel takes for a connection
 * differs by that.
 */
const cost: Work = {
  name: "processor time for a request of 2 workers",
  needs: ["wrk", "taskset"],
  async run({ seconds, pairs }) {
    await using program = await startProgram({ config: text(), workers: cores.length, isPinned: false });
    await using single = await startServer(servers.hemi("return-text.conf"));
    const workers = await program.workers();
    for (const [index, core] of cores.entries()) pinProcess(core, workers[index]?.pid ?? NaN);
    const ofWorkers = { port: program.port, pids: [program.pid, ...workers.map(({ pid }) => pid)], processes: 2 };
    const ofSingle = { port: single.port, pids: [single.pid], processes: 1 };
    for (const side of [ofWorkers, ofSingle]) await timeOfRequest({ ...side, seconds: 2 });
    const comparison = await comparePairs(
      () => timeOfRequest({ ...ofWorkers, seconds }),
      () => timeOfRequest({ ...ofSingle, seconds }),
      pairs,
    );
    const figure = `${comparison.ratio.toFixed(2)} (${comparison.spread.map((bound) => bound.toFixed(2)).join("–")})`;
    const microseconds = (time: number): string => `${(time * 1000).toFixed(1)} µs`;
    const sides = { ours: microseconds(comparison.ours), theirs: microseconds(comparison.theirs) };
    return [{ against: "Hemi, one process", ...sides, figure, atLeast: "1.10 or less", aim: "1.03" }];
  },
};

interface LoadOfProcesses {
  readonly port: number;
  /** Whose time counts. */
  readonly pids: readonly number[];
  /** How many of them serve. */
  readonly processes: number;
  readonly seconds: number;
}

/** Of all its processes, in milliseconds. */
async function timeOfRequest({ port, pids, processes, seconds }: LoadOfProcesses): Promise<number> {
  const total = (): number => pids.reduce((sum, pid) => sum + cpuTime(pid), 0);
  const connections = (processes * connsOfProcess) / cores.length;
  const before = total();
  const rates = await Promise.all(
    cores.map((core) => measure({ port, path: "/", isVaried: false, connections, seconds, core })),
  );
  return (total() - before) / (rates.reduce((sum, rate) => sum + rate, 0) * seconds);
}

/** After the start, garbage of which is collected when the process has been idle for a while. In milliseconds. */
const settleTime = 15_000;

const memory: Work = {
  name: "memory of a program that serves the welcome site",
  needs: [],
  async run() {
    const welcome = join(root, "examples/welcome");
    const config = readFileSync(join(welcome, "welcome.conf"), "utf8").replaceAll("%baseDir", `"${welcome}"`);
    await using program = await startProgram({
      config,
      workers: 3,
      args: ["--use", join(welcome, "welcome.ts")],
    });
    await sleep(settleTime);
    const [, ...further] = await memoryOfWorkers(program);
    const each = further.reduce((sum, one) => sum + one, 0) / further.length;
    return [
      memoryResult("the leader", residentMemory(program.pid), "65 MB", "55 MB"),
      memoryResult("each further worker", each, "100 MB", "85 MB"),
    ];
  },
};

export async function memoryOfWorkers(program: HemiProgram): Promise<readonly number[]> {
  return (await program.workers()).map(({ pid }) => residentMemory(pid));
}

function memoryResult(against: string, bytes: number, atLeast: string, aim: string): Result {
  const figure = `${(bytes / 1_000_000).toFixed(1)} MB`;
  return { against, ours: figure, theirs: "", figure, atLeast, aim };
}

export const processes: readonly Work[] = [spread, cost, memory];
