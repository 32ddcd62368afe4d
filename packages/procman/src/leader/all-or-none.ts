// All workers follow a configuration, or none does.

import { HemiError, type ErrorLog } from "@hemi/hemi/base";
import type { RunningConfig } from "../channel/calls.ts";
import { RemoteError } from "../channel/channel.ts";
import { within } from "../channel/within.ts";
import type { Slot } from "./slot.ts";
import { soon } from "./worker-answers.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** A worker, as far as it follows configurations. */
export type Follower = Pick<WorkerProcess, "slot" | "call" | "kill">;

/** From one configuration to another one. */
export interface Change {
  readonly from: RunningConfig | undefined;
  readonly to: RunningConfig;
  readonly log: ErrorLog;
}

/**
 * Two steps: every worker prepares the difference within `patience` milliseconds, then every worker commits. Rejects
 * with the first failure; all workers follow `from` then. A worker that dies or stands still while it commits is
 * replaced by one that follows `to`.
 */
export async function followInAll(
  workers: readonly Follower[],
  { from, to, log }: Change,
  patience: number,
): Promise<void> {
  const prepared = await Promise.allSettled(workers.map((worker) => prepare(worker, to, patience)));
  const refused = prepared.find((outcome) => outcome.status === "rejected");
  if (refused !== undefined) {
    await Promise.allSettled(workers.map((worker) => soon(worker.call("discard", undefined))));
    throw refused.reason;
  }
  const committed = await Promise.allSettled(workers.map((worker) => commit(worker, patience, log)));
  const failed = committed.find((outcome) => outcome.status === "rejected");
  if (failed === undefined) return;
  const followers = workers.filter((_, i) => committed[i]?.status === "fulfilled");
  if (from !== undefined) await Promise.all(followers.map((worker) => goBack(worker, from, patience, log)));
  throw failed.reason;
}

/** Rejects if the worker cannot follow, ends, or stands still. */
async function prepare(worker: Follower, config: RunningConfig, patience: number): Promise<void> {
  const late = `worker ${worker.slot} did not prepare the new configuration`;
  try {
    await within(hangTime(patience), late, worker.call("prepare", { config, patience }));
  } catch (cause) {
    if (cause instanceof RemoteError) throw cause;
    throw new HemiError("HEMI_PROCESS", `${late}: it ended or stood still; nothing has changed`, { cause });
  }
}

/** Rejects if the worker answers that it cannot follow. */
async function commit(worker: Follower, patience: number, log: ErrorLog): Promise<void> {
  try {
    await within(hangTime(patience), "it did not answer", worker.call("commit", undefined));
  } catch (error) {
    if (error instanceof RemoteError) throw error;
    log.error(`worker ${worker.slot} ended or stood still while it followed a configuration, and is replaced`, {
      error,
    });
    worker.kill();
  }
}

/** A worker keeps to the patience by itself, as long as its event loop turns. */
const hangTime = (patience: number): number => 2 * patience;

async function goBack(worker: Follower, config: RunningConfig, patience: number, log: ErrorLog): Promise<void> {
  try {
    await prepare(worker, config, patience);
    await within(hangTime(patience), "it did not answer", worker.call("commit", undefined));
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
