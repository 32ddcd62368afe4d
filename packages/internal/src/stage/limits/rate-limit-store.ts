// The capability of a store of rate limits: token buckets, strikes and bans by key, for all that use the store.
//
// The workers of one program share that of their leader (`context.workers.limits`). An addon offers this capability for
// several machines:
//
//   limiter ── takeTokens(key, spent: 7, wanted: 20) ──> store: one bucket for each key
//           <── granted: 20, remaining: 50 ──────────
//
// A request never waits for the answer: who asks lets requests through by what it knows, tells afterwards what it has
// `spent`, and may lease tokens in advance for a key that is asked for often (`wanted`).

import type { TokenRate } from "@hemi/common";
import { capability } from "../../component/capability.ts";

/** What is asked of the bucket of a key. */
export interface TokenDemand {
  /** The rate of the bucket. All who use a key give the same one; a changed rate holds from the next demand on. */
  readonly rate: TokenRate;
  /**
   * Tokens that were used already: they are taken in any case, and the bucket may go into debt by them. A negative
   * number gives leased tokens back.
   */
  readonly spent: number;
  /** Tokens to take then, as far as there are any. */
  readonly wanted: number;
  /**
   * Tokens that were taken before, are neither used nor given back, and go back into the bucket if the process dies. A
   * store that does not know of the end of processes leaves them to time. Default: 0.
   */
  readonly leased?: number;
}

/** The answer to a demand. Times count from the answer on: nobody's clocks are compared. */
export interface TokenGrant {
  /** How many of `wanted` were taken: all of them, some, or 0. */
  readonly granted: number;
  /** How many tokens are left in the bucket. */
  readonly remaining: number;
  /** In milliseconds, until there is a token; 0 if there is one. */
  readonly retryAfter: number;
  /** In milliseconds, until the bucket is full. */
  readonly fullAfter: number;
  /** In milliseconds, how long the key is still banned; 0 if it is not. A banned key is granted nothing. */
  readonly bannedFor: number;
}

/** Strikes against a key, and when they lead to a ban. */
export interface Strike {
  /** How many at once; at least 1. */
  readonly count: number;
  /** With so many strikes within `window`, the key is banned. */
  readonly limit: number;
  /** In milliseconds, from the first strike on. Strikes of an earlier window are forgotten. */
  readonly window: number;
  /** In milliseconds, how long the key is then banned. Its strikes start again from 0. */
  readonly ban: number;
}

/** The counters of a key after a strike. */
export interface StrikeCount {
  /** Strikes in the current window; 0 after a ban has begun. */
  readonly strikes: number;
  /** In milliseconds; 0 if the key is not banned. Strikes do not prolong a ban. */
  readonly bannedFor: number;
}

/**
 * Counts by key, for all processes that use the same store. Keys are texts of up to 300 characters; who uses a store
 * begins its keys with a name of its own. Calls of one process take effect in order.
 *
 * Each call rejects if the store cannot answer, after a time that the implementation limits, with an error that says
 * why; what it should have counted may be lost or counted. A key that is not used is forgotten once its bucket is full,
 * its window over, and its ban ended.
 */
export interface RateLimitStore {
  /** Takes tokens from the bucket of a key; a key that is not known has a full one. */
  takeTokens(key: string, demand: TokenDemand): Promise<TokenGrant>;
  /** Counts strikes against a key, and bans it if there are too many. */
  strike(key: string, strike: Strike): Promise<StrikeCount>;
}

/** Offered by addons that count for several machines: `prop.reference(addonKind, { offering: rateLimitStore })`. */
export const rateLimitStore = capability<RateLimitStore>("rate-limit-store");
