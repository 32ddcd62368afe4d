// The capability of a lock service: named locks, each of which at most one holder has at a time.
//
// The workers of one program share that of their leader (`context.workers.locks`). An addon offers this capability for
// several processes or machines.
//
//   free ── acquireLock ──> held ── release ─────────────────────> free
//                           │  ^  renew, each time for `ttl`
//                           ├──┘
//                           └── `ttl` is over, or the service says so ──> lost: the signal of the lock aborts
//
// A process that stands still for a while does not notice that its lock has expired. What must never be changed by two
// holders checks the fencing token: it accepts no token below the highest one that it has seen.

import { capability } from "../../component/capability.ts";

/** How a lock is held. */
export interface LockOptions {
  /** In milliseconds, how long the lock is held without a renewal; at least 1,000. */
  readonly ttl: number;
}

/** A lock that is held. `await using` releases it. */
export interface Lock extends AsyncDisposable {
  /** Whoever asks for this name asks for this lock. */
  readonly name: string;
  /** The fencing token, a safe integer: higher than that of each former holder of this name. */
  readonly token: number;
  /** Aborts when the lock is lost, with an error that says why; not when it is released. */
  readonly signal: AbortSignal;
  /**
   * Holds it for another `ttl` from now on. Rejects if it is lost, and if the service does not answer: then it may be
   * tried again until `ttl` is over.
   */
  renew(): Promise<void>;
  /**
   * Gives it back, so that others can have it at once. Twice is harmless, and so is releasing what is lost. Never
   * rejects: a lock that could not be given back expires.
   */
  release(): Promise<void>;
}

/** Gives locks, for all processes that use the same service. */
export interface LockService {
  /**
   * Resolves with the lock, or with `undefined` if somebody has it: nobody waits for another holder. A name has 1 to
   * 200 characters. Rejects if the service does not answer within a time that the implementation limits; the lock may
   * then be held until `ttl` is over.
   */
  acquireLock(name: string, options: LockOptions): Promise<Lock | undefined>;
}

/** Offered by addons that lock for several machines: `prop.reference(addonKind, { offering: lockService })`. */
export const lockService = capability<LockService>("lock-service");
