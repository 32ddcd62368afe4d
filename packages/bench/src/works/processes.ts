// What several workers cost, and how connections spread over them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { comparePairs } from "../comparison.ts";
import { startProgram, type HemiProgram } from "../hemi-program.ts";
import { measure, type Load } from "../load.ts";
import { root } from "../machine.ts";
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

/**
 * Of each worker, and of the one process: as many as each would have on a core of its own. Both workers are on one core
 * here, beside the load on the other one; the fewer connections they have, the more often one waits while the other one
 * runs, and each switch between them costs what fills the caches anew, which two cores would not.
 */
const connsOfProcess = 64;
const workers = 2;

const cost: Work = {
  name: "processor time for a request of 2 workers",
  needs: ["wrk"],
  async run(settings) {
    await using program = await startProgram({ config: text(), workers });
    await using single = await startServer(servers.hemi("return-text.conf"));
    const ofWorkers = { port: program.port, path: "/", isVaried: false, connections: workers * connsOfProcess };
    const ofSingle = { port: single.port, path: "/", isVaried: false, connections: connsOfProcess };
    for (const load of [ofWorkers, ofSingle]) await measure({ ...load, seconds: 2 });
    const pids = [program.pid, ...(await program.workers()).map(({ pid }) => pid)];
    const {
      ours,
      theirs,
      ratio,
      spread: bounds,
    } = await comparePairs(
      () => timeOfRequest({ ...ofWorkers, seconds: settings.seconds }, pids),
      () => timeOfRequest({ ...ofSingle, seconds: settings.seconds }, [single.pid]),
      settings.pairs,
    );
    const figure = `${ratio.toFixed(2)} (${bounds.map((bound) => bound.toFixed(2)).join("–")})`;
    const microseconds = (time: number): string => `${(time * 1000).toFixed(1)} µs`;
    const sides = { ours: microseconds(ours), theirs: microseconds(theirs) };
    return [{ against: "Hemi, one process", ...sides, figure, atLeast: "1.10 or less", aim: "1.03" }];
  },
};

/** Of all these processes, in milliseconds. */
async function timeOfRequest(load: Load, pids: readonly number[]): Promise<number> {
  const total = (): number => pids.reduce((sum, pid) => sum + cpuTime(pid), 0);
  const before = total();
  const rate = await measure(load);
  return (total() - before) / (rate * load.seconds);
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
