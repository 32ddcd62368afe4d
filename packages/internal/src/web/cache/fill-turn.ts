// Fetches of several processes that share a cacher: one of them asks the backend, the others wait for what it stores.
//
//   acquireLock ── got it ──> is it stored by now? ── no ──> this process fetches, and releases the lock
//        ^ └─ another one has it ──> pause ──> is it stored by now? ── yes ──> nobody fetches
//        └────────────────────────────────────────┘ no
//
// Nobody waits for longer than a limit, nor for a lock service that does not answer: then each fetches for itself.

import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { Lock, LockService } from "../../stage/locks/lock-service.ts";
import type { Wobject } from "./wobject.ts";

/** What one process waits for. */
export interface FillTurnOptions {
  readonly locks: LockService;
  /** Of the lock. */
  readonly name: string;
  /** In milliseconds. */
  readonly wait: number;
  /** What another process has stored meanwhile. */
  readonly stored: () => Promise<Wobject | undefined>;
  /** Whether nobody waits any more. */
  readonly isOver: () => boolean;
}

/** Resolves with what another process has stored; or with the lock under which to fetch, if there is one. */
export async function fillTurn(
  options: FillTurnOptions,
): Promise<{ readonly wobject?: Wobject; readonly lock?: Lock }> {
  const { locks, name, wait, stored, isOver } = options;
  const until = performance.now() + wait;
  while (!isOver()) {
    // A holder that has died, or takes longer than others wait, must not keep it.
    const lock = await locks.acquireLock(name, { ttl: Math.max(wait, shortestTtl) }).catch(() => "unknown" as const);
    if (lock === "unknown") return {};
    const wobject = await stored().catch(async (error: unknown) => {
      await lock?.release();
      throw error;
    });
    if (wobject !== undefined) {
      await lock?.release();
      return { wobject };
    }
    if (lock !== undefined) return { lock };
    if (performance.now() >= until) return {};
    await pause(pollInterval);
  }
  return {};
}

/** In milliseconds, as lock services want it. */
const shortestTtl = 1000;
/** In milliseconds. */
const pollInterval = 50;
