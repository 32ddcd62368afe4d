// All workers follow a configuration, or none does.

import type { ErrorLog } from "@hemi/hemi/base";
import type { RunningConfig } from "../channel/calls.ts";
import type { Slot } from "./slot.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** From one configuration to another one. */
export interface Change {
  readonly from: RunningConfig | undefined;
  readonly to: RunningConfig;
  readonly log: ErrorLog;
}

/**
 * Two steps: every worker prepares the difference within `patience` milliseconds, then every worker commits. Rejects
 * with the first failure; all workers follow `from` then.
 */
export async function followInAll(
  workers: readonly WorkerProcess[],
  { from, to, log }: Change,
  patience: number,
): Promise<void> {
  const prepared = await Promise.allSettled(workers.map((worker) => worker.call("prepare", { config: to, patience })));
  const refused = prepared.find((outcome) => outcome.status === "rejected");
  if (refused !== undefined) {
    await Promise.allSettled(workers.map((worker) => worker.call("discard", undefined)));
    throw refused.reason;
  }
  const committed = await Promise.allSettled(workers.map((worker) => worker.call("commit", undefined)));
  // A worker that has died meanwhile is replaced, and its successor follows the new configuration.
  const failed = committed.find((outcome, i) => outcome.status === "rejected" && workers[i]?.state === "ready");
  if (failed?.status !== "rejected") return;
  const followers = workers.filter((_, i) => committed[i]?.status === "fulfilled");
  if (from !== undefined) await Promise.all(followers.map((worker) => goBack(worker, from, patience, log)));
  throw failed.reason;
}

async function goBack(worker: WorkerProcess, config: RunningConfig, patience: number, log: ErrorLog): Promise<void> {
  try {
    await worker.call("prepare", { config, patience });
    await worker.call("commit", undefined);
  } catch (error) {
    log.error(`worker ${worker.slot} cannot go back to the running configuration, and is replaced`, { error });
    worker.kill();
  }
}

/**
 * All slots get new workers that follow `to`; the old ones finish within `grace` milliseconds. Rejects with the first
 * failure; all slots have workers that follow `from` then.
 */
export async function renewAll(slots: readonly Slot[], { to, log }: Change, grace: number): Promise<void> {
  const renewed: Slot[] = [];
  try {
    for (const slot of slots) {
      await slot.renew(grace, to);
      renewed.push(slot);
    }
  } catch (error) {
    for (const slot of renewed)
      await slot.renew(grace).catch((failure: unknown) => {
        log.error("a worker cannot go back to the running configuration, and is replaced", { error: failure });
        slot.ready?.kill();
      });
    throw error;
  }
}
