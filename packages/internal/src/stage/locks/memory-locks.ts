// Locks in the memory of one process: those of the leader, and of a program of one process.

import { HemiError } from "../../errors/hemi-error.ts";
import { HeldLock } from "./held-lock.ts";
import type { Lock, LockOptions, LockService } from "./lock-service.ts";

interface Holding {
  readonly token: number;
  /** Who has it; all of an owner are freed together. */
  readonly owner: object;
  /** On the clock of the table. */
  expiresAt: number;
}

/** A lock as its owner has it. */
export interface HeldName {
  readonly name: string;
  /** The fencing token. */
  readonly token: number;
}

/** What a table knows, for another process. */
export interface LockState {
  readonly held: readonly (HeldName & {
    /** In milliseconds from now. */
    readonly expiresIn: number;
  })[];
  /** The highest fencing token that was ever granted. */
  readonly lastToken: number;
}

/** The table of locks, without timers: one that has expired is free for the next who asks. */
export class LockTable {
  readonly #now: () => number;
  readonly #held = new Map<string, Holding>();
  #lastToken = 0;

  /** `now`: a monotonic clock in milliseconds. Default: `performance.now`. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Returns the fencing token; `undefined` if somebody has the lock. Throws HEMI_USAGE if there are too many locks. */
  acquire(name: string, ttl: number, owner: object): number | undefined {
    const now = this.#now();
    const holding = this.#held.get(name);
    if (holding !== undefined && holding.expiresAt > now) return undefined;
    if (this.#held.size >= maxLocks) this.#removeExpired(now);
    if (this.#held.size >= maxLocks) throw new HemiError("HEMI_USAGE", `there are ${maxLocks} locks already`);
    const token = tokenAfter(this.#lastToken, Date.now());
    this.#lastToken = token;
    this.#held.set(name, { token, owner, expiresAt: now + ttl });
    return token;
  }

  /** Notes a lock that another table has granted under this token. */
  adopt(name: string, ttl: number, token: number, owner: object): void {
    this.#lastToken = Math.max(this.#lastToken, token);
    this.#held.set(name, { token, owner, expiresAt: this.#now() + ttl });
  }

  /** False: it has expired, and may be somebody else's. */
  renew(name: string, ttl: number, token: number): boolean {
    const holding = this.#held.get(name);
    if (holding?.token !== token || holding.expiresAt <= this.#now()) return false;
    holding.expiresAt = this.#now() + ttl;
    return true;
  }

  /** Does nothing if somebody else has it. */
  release(name: string, token: number): void {
    if (this.#held.get(name)?.token === token) this.#held.delete(name);
  }

  /** The owner has ended. Returns what it had. */
  releaseAll(owner: object): readonly HeldName[] {
    const released: HeldName[] = [];
    for (const [name, { owner: holder, token }] of this.#held) {
      if (holder !== owner) continue;
      this.#held.delete(name);
      released.push({ name, token });
    }
    return released;
  }

  /** In parts with at most `max` locks each, at least one. What changes while they are read may be in none of them. */
  *states(max: number): IterableIterator<LockState> {
    let held: LockState["held"][number][] = [];
    for (const [name, { token, expiresAt }] of this.#held) {
      held.push({ name, token, expiresIn: expiresAt - this.#now() });
      if (held.length < max) continue;
      yield { held, lastToken: this.#lastToken };
      held = [];
    }
    yield { held, lastToken: this.#lastToken };
  }

  /** Goes on with what another process knew. `owner`: who has those of which this table does not know it. */
  restore({ held, lastToken }: LockState, owner: object): void {
    this.#lastToken = Math.max(this.#lastToken, lastToken);
    for (const { name, token, expiresIn } of held) {
      const known = this.#held.get(name);
      const holder = known?.token === token ? known.owner : owner;
      this.#held.set(name, { token, owner: holder, expiresAt: this.#now() + expiresIn });
    }
  }

  #removeExpired(now: number): void {
    for (const [name, { expiresAt }] of this.#held) if (expiresAt <= now) this.#held.delete(name);
  }
}

/** The locks of a program of one process. */
export class MemoryLocks implements LockService {
  readonly #table: LockTable;

  /** Services with one table share their locks. */
  constructor(table: LockTable = new LockTable()) {
    this.#table = table;
  }

  acquireLock(name: string, { ttl }: LockOptions): Promise<Lock | undefined> {
    const askedAt = performance.now();
    const token = this.#table.acquire(name, ttl, this);
    if (token === undefined) return Promise.resolve(undefined);
    const renew = () => Promise.resolve(this.#table.renew(name, ttl, token));
    const release = () => Promise.resolve(this.#table.release(name, token));
    return Promise.resolve(new HeldLock({ name, token, ttl, askedAt, renew, release }));
  }
}

/** Not a prop: far more than the components of a program use. */
const maxLocks = 100_000;
/** The time in milliseconds has 41 bits, a safe integer 53. */
const tokensInMs = 1000;

/**
 * The next fencing token. It goes by the time, in milliseconds since the epoch: tokens rise, too, where the last one is
 * not known any more.
 */
export function tokenAfter(last: number, time: number): number {
  return Math.max(last + 1, Math.floor(time * tokensInMs));
}
