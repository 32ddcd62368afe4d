// What workers say of themselves, when they answer soon.

import type { Plan, ReloadCost } from "@hemi/hemi";
import type { WorkerStatus } from "../control/actions.ts";
import { sumOfCosts } from "./sum-of-costs.ts";
import type { WorkerProcess } from "./worker-process.ts";

export async function statusOf(worker: WorkerProcess): Promise<WorkerStatus> {
  const { slot, pid = 0, state, startedAt } = worker;
  const usage = await Promise.race([worker.call("usage", undefined), timeout()]).catch(() => undefined);
  const { rss = null, cpu = null, conns = null } = usage ?? {};
  return { slot, pid, state, startedAt, rss, cpu, conns };
}

/** What it would cost at this moment to follow a plan. */
export async function costOf({ changes }: Plan, workers: readonly WorkerProcess[]): Promise<ReloadCost> {
  const paths = changes.filter(({ fate }) => fate === "replaced" || fate === "dropped").map(({ path }) => path);
  const asked = workers.map((worker) => Promise.race([worker.call("cost", { paths }), timeout()]));
  const costs = await Promise.allSettled(asked);
  return sumOfCosts(costs.flatMap((cost) => (cost.status === "fulfilled" ? (cost.value ?? []) : [])));
}

function timeout(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, answerTime, undefined).unref());
}

/** In milliseconds. */
const answerTime = 1000;
