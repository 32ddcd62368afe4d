// The locks that all workers of the program share. While two leaders change places, one of them grants locks, and the
// other one asks it. What it has granted to workers here is noted: they may end, and so may the other leader.

import { LockTable, type HeldName } from "@hemi/hemi/base";
import type { LockAnswer, PassedLocks } from "../channel/shared-calls.ts";
import { within } from "../channel/within.ts";
import { DecidingLeader } from "./deciding-leader.ts";
import type { CountedWorker } from "./program-counts.ts";

/** Who holds locks: a worker, or all workers of another leader. */
export type LockOwner = Pick<CountedWorker, "state">;

/** Another leader that grants locks in the place of this one. `null`: it has passed them on to the one that asks. */
export interface GrantingLeader extends LockOwner {
  acquireLock(name: string, ttl: number): Promise<LockAnswer | null>;
  renewLock(held: HeldName, ttl: number): Promise<boolean | null>;
  releaseLock(held: HeldName): void;
}

export class ProgramLocks {
  readonly #table = new LockTable();
  readonly #granting: DecidingLeader<GrantingLeader>;

  /** `before`: grants until it passes its locks on. Default: this one grants from the start. */
  constructor(before?: GrantingLeader) {
    this.#granting = new DecidingLeader(before);
  }

  /**
   * The fencing token; `null`: somebody has the lock. Rejects with HEMI_USAGE if there are too many locks, and with
   * HEMI_PROCESS if the other leader does not answer: it may have granted the lock.
   */
  async acquire(name: string, ttl: number, owner: LockOwner): Promise<number | null> {
    const { token } = await this.#granting.decide<LockAnswer>(
      (other) => answerOf(other, other.acquireLock(name, ttl)),
      () => ({ token: this.#table.acquire(name, ttl, owner) ?? null }),
    );
    if (token === null) return null;
    if (owner.state === "ended") {
      this.release({ name, token });
      return null;
    }
    this.#table.adopt(name, ttl, token, owner);
    return token;
  }

  /** False: the lock has expired, and may be somebody else's. Rejects as `acquire`. */
  async renew({ name, token }: HeldName, ttl: number): Promise<boolean> {
    const isRenewed = await this.#granting.decide(
      (other) => answerOf(other, other.renewLock({ name, token }, ttl)),
      () => this.#table.renew(name, ttl, token),
    );
    if (isRenewed) this.#table.renew(name, ttl, token);
    else this.#table.release(name, token);
    return isRenewed;
  }

  /** Does nothing if somebody else has it. */
  release({ name, token }: HeldName): void {
    this.#table.release(name, token);
    this.#granting.other?.releaseLock({ name, token });
  }

  /** The owner has ended. */
  releaseAll(owner: LockOwner): void {
    for (const held of this.#table.releaseAll(owner)) this.#granting.other?.releaseLock(held);
  }

  /** From now on, another leader grants locks. Rejects if it does not take those of this one: `goOn` then. */
  async passOn(other: GrantingLeader, send: (passed: PassedLocks) => Promise<unknown>): Promise<void> {
    await this.#granting.passOn(other, this.#passAll(send));
  }

  async #passAll(send: (passed: PassedLocks) => Promise<unknown>): Promise<void> {
    for (const state of this.#table.states(maxPassed)) await send({ state, isLast: state.held.length < maxPassed });
  }

  /** The other leader has failed: this one grants again. */
  goOn(): void {
    this.#granting.goOn();
  }

  /**
   * Grants from the last part on. `owner`: the other leader, whose workers have them. If it is killed, its workers may
   * go on for a while: their locks expire.
   */
  receive({ state, isLast }: PassedLocks, owner: LockOwner): void {
    this.#table.restore(state, owner);
    if (isLast) this.#granting.takeOver();
  }
}

/** `undefined`: it has ended. */
async function answerOf<Answer>(other: GrantingLeader, answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await within(lockTime, "the other leader did not answer for a lock", answer);
  } catch (error) {
    if (other.state === "ended") return undefined;
    throw error;
  }
}

/** In milliseconds. */
const lockTime = 5000;
/** Locks in one message. */
const maxPassed = 5000;
