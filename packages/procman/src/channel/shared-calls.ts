// What the workers of two leaders share while these change places: limits and locks. One leader has them, and the other
// one asks it for its workers. When the new one leads, the old one passes them on to it.

import type { HeldName, LockState, RateLimitState, StrikeCount, TokenGrant } from "@hemi/hemi/base";
import type { KeyedDemand, KeyedStrike, WantedLock } from "./calls.ts";

/** Demands of one worker of the other leader. */
export interface OwnedDemands {
  /** The number of the worker: no other one of that leader has it. */
  readonly owner: number;
  readonly demands: readonly KeyedDemand[];
}

/** A part of what the old leader has counted: bans, and what clients have spent. */
export interface PassedLimits {
  readonly state: RateLimitState;
  /** The new leader counts from now on. */
  readonly isLast: boolean;
}

/** A part of the locks of the old leader. */
export interface PassedLocks {
  readonly state: LockState;
  /** The new leader grants locks from now on. */
  readonly isLast: boolean;
}

/** What a leader answers for a lock that the other one asks for, whose worker wants it. */
export interface LockAnswer {
  /** The fencing token; `null`: somebody has the lock. */
  readonly token: number | null;
}

/** Served by both leaders. The one that has passed limits and locks on to the other answers `null`. */
export interface SharedCalls {
  readonly takeTokens: { readonly params: OwnedDemands; readonly result: readonly TokenGrant[] | null };
  readonly strike: { readonly params: readonly KeyedStrike[]; readonly result: readonly StrikeCount[] | null };
  readonly acquireLock: { readonly params: WantedLock; readonly result: LockAnswer | null };
  /** False: it is lost. */
  readonly renewLock: { readonly params: HeldName & { readonly ttl: number }; readonly result: boolean | null };
  readonly releaseLock: { readonly params: HeldName; readonly result: undefined };
}
