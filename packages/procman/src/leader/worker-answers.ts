// What workers say of themselves, when they answer soon.

import type { Plan, ReloadCost } from "@hemi/hemi";
import { HemiError } from "@hemi/hemi/base";
import type { WorkerUsage } from "../channel/calls.ts";
import type { WorkerStatus } from "../control/actions.ts";
import { sumOfCosts } from "./sum-of-costs.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** A worker, as far as it tells of itself. */
export interface ToldWorker extends Pick<WorkerProcess, "slot" | "pid" | "state" | "startedAt"> {
  call(name: "usage", params: undefined): Promise<WorkerUsage>;
}

export async function askStatus(worker: ToldWorker): Promise<WorkerStatus> {
  const { slot, pid = 0, state, startedAt } = worker;
  const usage = await soon(worker.call("usage", undefined)).catch(() => undefined);
  const { rss = null, cpu = null, conns = null } = usage ?? {};
  return { slot, pid, state, startedAt, rss, cpu, conns };
}

/**
 * Its answer. Rejects with HEMI_PROCESS if it ends before, and with any other error as it is. `lost`: what that end
 * means for who asks.
 */
export async function answerOf<Answer>(
  { slot, pid }: Pick<WorkerProcess, "slot" | "pid">,
  answer: Promise<Answer>,
  lost = "ask again",
): Promise<Answer> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof HemiError) || cause.code !== "HEMI_PROCESS") throw cause;
    const text = `worker ${slot}, process ${pid ?? "?"}, has ended before it had answered: ${lost}`;
    throw new HemiError("HEMI_PROCESS", text, { cause });
  }
}

/** What it would cost at this moment to follow a plan. */
export async function costOf(plan: Plan, workers: readonly WorkerProcess[]): Promise<ReloadCost> {
  const paths = endingPaths(plan);
  const asked = workers.map((worker) => soon(worker.call("cost", { paths })));
  const costs = await Promise.allSettled(asked);
  return sumOfCosts(costs.flatMap((cost) => (cost.status === "fulfilled" ? (cost.value ?? []) : [])));
}

/** The components that end with a plan. */
export function endingPaths({ changes }: Plan): readonly string[] {
  return changes.filter(({ fate }) => fate === "replaced" || fate === "dropped").map(({ path }) => path);
}

/**
 * The answer of a process; `undefined` if it does not come within `time` milliseconds: the process may stand still.
 * Default: a second.
 */
export async function soon<Answer>(answer: Promise<Answer>, time = 1000): Promise<Answer | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, time, undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when a worker that was told to quit accepts no connections any more. One that stands still accepts none. */
export async function hasLeft({ left }: Pick<WorkerProcess, "left">): Promise<void> {
  await soon(left, leaveTime);
}

/** In milliseconds. */
const leaveTime = 5000;
