// How long a reload takes, how long workers stop for it, and what many of them leave behind.

import { Agent, get } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../comparison.ts";
import { startProgram, type HemiProgram } from "../hemi-program.ts";
import { residentMemory } from "../process-figures.ts";
import { restTime } from "../memory-at-rest.ts";
import { rulesConfig } from "../servers/many-rules.ts";
import type { Result, Work } from "../work.ts";
import { memoryOfWorkers } from "./processes.ts";

const rules = 500;
/** In the middle. */
const changed = 250;
const reloads = 20;

const config = (content: string): string => rulesConfig(rules, "==", { rule: changed, text: content });

const reloadTime: Work = {
  name: `reload of ${rules} rules with one changed`,
  needs: [],
  async run() {
    await using program = await startProgram({ config: config("text 0"), workers: 2, isPinned: false });
    const times: number[] = [];
    const stops: number[] = [];
    for (let i = 1; i <= reloads; i++) {
      await program.write(config(`text ${i}`));
      const slots = [0, 1].map((slot) => longestStop(program, slot));
      times.push(await timeToFollow(program, `text ${i}`));
      stops.push(...(await Promise.all(slots)));
    }
    const time = range(times);
    const stop = range(stops);
    return [
      {
        against: "until the next request sees it",
        ours: time,
        theirs: "",
        figure: time,
        atLeast: "150 ms",
        aim: "60 ms",
      },
      {
        against: "longest stop of a worker's event loop",
        ours: stop,
        theirs: "",
        figure: stop,
        atLeast: "40 ms",
        aim: "15 ms",
      },
    ];
  },
};

/** From the order until a request on a kept connection gets the new text, in milliseconds. */
async function timeToFollow(program: HemiProgram, content: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const began = performance.now();
  const reloaded = program.call("reload");
  try {
    // The load shall not take the processor from what it measures.
    while ((await ask(program.port, agent)) !== content) await sleep(askInterval);
    return performance.now() - began;
  } finally {
    agent.destroy();
    await reloaded;
  }
}

/** In milliseconds. */
const askInterval = 2;

function ask(port: number, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: `/section-${changed}/`, agent }, (response) => resolve(text(response))).on(
      "error",
      reject,
    );
  });
}

/** Of the event loop of a worker, in the next half second, in milliseconds. */
async function longestStop(program: HemiProgram, slot: number): Promise<number> {
  const measured = await program.call("measure", { kind: "loop", slot, period: 500 });
  const { durations } = measured as { readonly durations: { readonly delay: { readonly longest: number } } };
  return durations.delay.longest;
}

function range(times: readonly number[]): string {
  return `${Math.round(median(times))} ms (${Math.round(Math.min(...times))}–${Math.round(Math.max(...times))})`;
}

const memoryAfter: Work = {
  name: `memory after many reloads of ${rules} rules`,
  needs: [],
  async run({ seconds }) {
    const many = 200 * seconds;
    const few = many / 10;
    const imports = [import.meta.resolve("../collect-on-signal.ts")];
    await using program = await startProgram({ config: config("text 0"), workers: 2, isPinned: false, imports });
    const early = await memoryAfterReloads(program, 0, few);
    const late = await memoryAfterReloads(program, few, many);
    const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB`;
    const growth = (when: string, from: number, to: number): Result => ({
      against: `${many} reloads, against ${few}, ${when}`,
      ours: megabytes(to),
      theirs: megabytes(from),
      figure: (to / from).toFixed(2),
      atLeast: "1.05 or less",
      aim: "1.01",
    });
    return [growth("one after the other", early.between, late.between), growth("at rest", early.atRest, late.atRest)];
  },
};

interface MemoryAfter {
  /** The median of what was there between the last tenth of the reloads: with garbage that waits to be collected. */
  readonly between: number;
  /** What stayed of it, with all garbage collected. */
  readonly atRest: number;
}

/** Of the leader and its workers, in bytes. */
async function memoryAfterReloads(program: HemiProgram, from: number, to: number): Promise<MemoryAfter> {
  const sums: number[] = [];
  for (let i = from; i < to; i++) {
    await program.write(config(`text ${i}`));
    await program.call("reload");
    if (i >= from + 0.9 * (to - from)) sums.push(await memoryOf(program));
  }
  await sleep(restTime);
  for (const { pid } of [program, ...(await program.workers())]) process.kill(pid, "SIGWINCH");
  await sleep(collectTime);
  return { between: median(sums), atRest: await memoryOf(program) };
}

/** In ms. */
const collectTime = 3000;

async function memoryOf(program: HemiProgram): Promise<number> {
  return (await memoryOfWorkers(program)).reduce((sum, one) => sum + one, residentMemory(program.pid));
}

export const reloading: readonly Work[] = [reloadTime, memoryAfter];
