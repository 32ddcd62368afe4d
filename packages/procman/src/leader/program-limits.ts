// The rate limits that all workers of the program share. While two leaders change places, one of them counts, and the
// other one asks it:
//
//   new leader   asks the old one ──────────────────────┬──> counts
//   old leader   counts ─────────────> passes all on ───┴──> asks the new one, for its workers that finish their work

import { MemoryRateLimits, type RateLimitState, type StrikeCount, type TokenGrant } from "@hemi/hemi/base";
import type { KeyedDemand, KeyedStrike } from "../channel/calls.ts";
import type { OwnedDemands, PassedLimits } from "../channel/handover.ts";
import { TokenLeases } from "./token-leases.ts";

/** Another leader that counts in the place of this one. Its calls reject if it has ended. */
export interface CountingLeader {
  /** `null`: it has passed all on to the leader that asks. */
  takeTokens(demands: OwnedDemands): Promise<readonly TokenGrant[] | null>;
  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[] | null>;
}

export class ProgramLimits {
  readonly #table = new MemoryRateLimits();
  /** Who counts; `undefined`: this one. */
  #other: CountingLeader | undefined;
  /** Resolves when `#other` has all that was counted here. */
  #passedOn: Promise<void> = Promise.resolve();
  /** Resolves when all has arrived that the leader before has counted. */
  readonly #received = Promise.withResolvers<void>();
  #lastOwner = 0;

  /** `before`: counts until it passes on what it has counted. Default: this one counts from the start. */
  constructor(before?: CountingLeader) {
    this.#other = before;
  }

  /** For one worker; `end` it with the worker. */
  leases(): TokenLeases {
    const owner = ++this.#lastOwner;
    return new TokenLeases((demands) => this.#takeTokens({ owner, demands }));
  }

  #takeTokens(owned: OwnedDemands): Promise<readonly TokenGrant[]> {
    return this.#count(
      (other) => other.takeTokens(owned),
      () => owned.demands.map(({ key, demand }) => this.#table.takeNow(key, demand)),
    );
  }

  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[]> {
    return this.#count(
      (other) => other.strike(strikes),
      () => strikes.map(({ key, strike }) => this.#table.strikeNow(key, strike)),
    );
  }

  async #count<Result>(ask: (other: CountingLeader) => Promise<Result | null>, here: () => Result): Promise<Result> {
    const other = this.#other;
    if (other === undefined) return here();
    await this.#passedOn;
    // A leader that has ended counts no more.
    const answer = await ask(other).catch(() => undefined);
    if (answer === undefined) return here();
    if (answer !== null) return answer;
    await this.#received.promise;
    return await this.#count(ask, here);
  }

  /** From now on, another leader counts. Rejects if it does not take what was counted here: `goOn` then. */
  async passOn(other: CountingLeader, send: (passed: PassedLimits) => Promise<unknown>): Promise<void> {
    const all = this.#passAll(send);
    this.#passedOn = all.catch(() => {});
    this.#other = other;
    await all;
  }

  async #passAll(send: (passed: PassedLimits) => Promise<unknown>): Promise<void> {
    for (const state of this.#table.states(maxPassed)) await send({ state, isLast: false });
    await send({ state: nothing, isLast: true });
  }

  /** The other leader has failed: this one counts again. */
  goOn(): void {
    this.#other = undefined;
  }

  /** Counts from the last part on. */
  receive({ state, isLast }: PassedLimits): void {
    this.#table.restore(state);
    if (!isLast) return;
    this.#other = undefined;
    this.#received.resolve();
  }
}

/** The limits as another leader asks for them, for its workers. */
export class OtherLeadersLimits implements CountingLeader {
  readonly #limits: ProgramLimits;
  /** By the number that the other leader gives to a worker. */
  readonly #leases = new Map<number, TokenLeases>();
  #isPassedOn = false;

  constructor(limits: ProgramLimits) {
    this.#limits = limits;
  }

  takeTokens({ owner, demands }: OwnedDemands): Promise<readonly TokenGrant[] | null> {
    if (this.#isPassedOn) return Promise.resolve(null);
    const leases = this.#leases.get(owner) ?? this.#limits.leases();
    this.#leases.set(owner, leases);
    return leases.take(demands);
  }

  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[] | null> {
    return this.#isPassedOn ? Promise.resolve(null) : this.#limits.strike(strikes);
  }

  /** The other leader counts from now on. */
  passOn(): void {
    this.#isPassedOn = true;
  }

  /** The other leader has ended, and all of its workers: what they held goes back. */
  end(): void {
    for (const leases of this.#leases.values()) leases.end();
    this.#leases.clear();
  }
}

const nothing: RateLimitState = { buckets: [], windows: [], bans: [] };
/** Of each sort, in one message. */
const maxPassed = 5000;
