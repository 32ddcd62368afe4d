// Advice on how the work is spread, and on what makes workers slow.

import { counted, percent, type AdviceRule } from "./advice.ts";

/** All workers are busy, and there are processors without one. */
const tooFewWorkers: AdviceRule = ({ workers, machine: { cpus } }) => {
  const least = Math.min(...workers.map(({ loop }) => loop));
  if (workers.length === 0 || workers.length >= cpus || least < busy) return [];
  return [
    {
      about: "program",
      found:
        `${counted(workers.length, "worker")} on ${counted(cpus, "processor")}, ` +
        `each at least ${percent(least)} busy`,
      change: "start more workers: hemi serve --workers auto",
    },
  ];
};

/** Workers wait for each other. */
const tooManyWorkers: AdviceRule = ({ workers, machine: { cpus } }) => {
  const isBusy = workers.reduce((sum, { loop }) => sum + loop, 0) > cpus * busy;
  if (workers.length <= cpus || !isBusy) return [];
  return [
    {
      about: "program",
      found: `${counted(workers.length, "worker")} on ${counted(cpus, "processor")}, which are busy`,
      change: "start as many as there are processors: hemi serve --workers auto",
    },
  ];
};

/** Everybody is busy, and there is no processor left. */
const fullMachine: AdviceRule = ({ workers, machine: { cpus } }) => {
  const least = Math.min(...workers.map(({ loop }) => loop));
  if (workers.length === 0 || workers.length !== cpus || least < full) return [];
  return [
    {
      about: "machine",
      found: `each of the ${counted(workers.length, "worker")} is at least ${percent(least)} busy`,
      change: "see with hemi cpu what takes the time; otherwise, more processors or another machine are needed",
    },
  ];
};

/** Few long connections, or work that only one worker does. */
const unevenWorkers: AdviceRule = ({ workers }) => {
  const [busiest] = workers.toSorted((a, b) => b.loop - a.loop);
  const others = workers.filter((worker) => worker !== busiest);
  if (busiest === undefined || others.length === 0 || busiest.loop < full) return [];
  if (others.some(({ loop }) => loop > busiest.loop / 2)) return [];
  return [
    {
      about: `worker ${busiest.slot}`,
      found: `it is ${percent(busiest.loop)} busy, and no other worker more than ${percent(busiest.loop / 2)}`,
      change: `see with hemi cpu --worker ${busiest.slot} what it does: a few connections with much work, or a cronjob`,
    },
  ];
};

/** Something runs for long without a break. */
const lateLoop: AdviceRule = ({ workers }) =>
  workers
    .filter(({ loopDelay }) => loopDelay > lateAfter)
    .map(({ slot, loopDelay }) => ({
      about: `worker ${slot}`,
      found: `its event loop was ${Math.round(loopDelay)} ms late at times (99th percentile)`,
      change:
        "find the code that runs for so long without a break: " + `hemi cpu --worker ${slot}, hemi gc --worker ${slot}`,
    }));

/** The heap is nearly full, or too much is allocated. */
const muchCollecting: AdviceRule = ({ workers }) =>
  workers
    .filter(({ collecting }) => collecting > muchTime)
    .map(({ slot, collecting }) => ({
      about: `worker ${slot}`,
      found: `it spends ${percent(collecting)} of its time on garbage collections`,
      change:
        `see with hemi heap --worker ${slot} what fills the heap; ` +
        "NODE_OPTIONS=--max-semi-space-size=16 helps if it is short-lived",
    }));

export const loadRules: readonly AdviceRule[] = [
  tooFewWorkers,
  tooManyWorkers,
  fullMachine,
  unevenWorkers,
  lateLoop,
  muchCollecting,
];

/** Shares of the time. */
const busy = 0.7;
const full = 0.9;
const muchTime = 0.1;
/** In ms. */
const lateAfter = 100;
