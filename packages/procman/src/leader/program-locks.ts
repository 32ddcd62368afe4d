// The locks that all workers of the program share. While the leader before this one is there, it grants them: its
// workers may still hold some. What it has granted to workers here is noted, and counts on when it has ended.

import { LockTable, type HeldName } from "@hemi/hemi/base";
import type { CountedWorker } from "./program-counts.ts";

/** Who holds locks: a worker, or all workers of another leader. */
export type LockOwner = Pick<CountedWorker, "state">;

/** The locks of the leader before this one. Its calls reject if it does not answer. */
export interface FormerLocks extends LockOwner {
  /** The fencing token; `null`: somebody has the lock. */
  acquireLock(name: string, ttl: number): Promise<number | null>;
  renewLock(held: HeldName, ttl: number): Promise<boolean>;
  releaseLock(held: HeldName): void;
}

export class ProgramLocks {
  readonly #table = new LockTable();
  readonly #before: FormerLocks | undefined;

  /** `before`: who may still hold locks. Default: nobody. */
  constructor(before?: FormerLocks) {
    this.#before = before;
  }

  /**
   * The fencing token; `null`: somebody has the lock. Rejects with HEMI_USAGE if there are too many locks, and with
   * HEMI_PROCESS if the leader before does not answer: it may have granted the lock.
   */
  async acquire(name: string, ttl: number, owner: LockOwner): Promise<number | null> {
    const granted = await this.#asked((before) => before.acquireLock(name, ttl));
    if (granted === undefined) return this.#table.acquire(name, ttl, owner) ?? null;
    if (granted === null) return null;
    if (owner.state === "ended") {
      this.#formerLocks?.releaseLock({ name, token: granted });
      return null;
    }
    this.#table.adopt(name, ttl, granted, owner);
    return granted;
  }

  /** False: the lock has expired, and may be somebody else's. Rejects as `acquire`. */
  async renew({ name, token }: HeldName, ttl: number): Promise<boolean> {
    const renewed = await this.#asked((before) => before.renewLock({ name, token }, ttl));
    if (renewed !== false) return this.#table.renew(name, ttl, token);
    this.#table.release(name, token);
    return false;
  }

  /** Does nothing if somebody else has it. */
  release({ name, token }: HeldName): void {
    this.#table.release(name, token);
    this.#formerLocks?.releaseLock({ name, token });
  }

  /** The owner has ended. */
  releaseAll(owner: LockOwner): void {
    for (const held of this.#table.releaseAll(owner)) this.#formerLocks?.releaseLock(held);
  }

  /** `undefined`: there is no leader before this one any more. */
  async #asked<Result>(ask: (before: FormerLocks) => Promise<Result>): Promise<Result | undefined> {
    const before = this.#formerLocks;
    if (before === undefined) return undefined;
    try {
      return await ask(before);
    } catch (error) {
      // It has ended meanwhile, and all of its workers before.
      if (before.state === "ended") return undefined;
      throw error;
    }
  }

  get #formerLocks(): FormerLocks | undefined {
    return this.#before?.state === "ended" ? undefined : this.#before;
  }
}
