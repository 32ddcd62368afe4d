// The rate limits that all workers of the program share. While two leaders change places, one of them counts, and the
// other one asks it.

import { MemoryRateLimits, type RateLimitState, type StrikeCount, type TokenGrant } from "@hemi/hemi/base";
import type { KeyedStrike } from "../channel/calls.ts";
import type { OwnedDemands, PassedLimits } from "../channel/shared-calls.ts";
import { DecidingLeader } from "./deciding-leader.ts";
import { TokenLeases } from "./token-leases.ts";

/** Another leader that counts in the place of this one. Its calls reject if it has ended. */
export interface CountingLeader {
  /** `null`: it has passed all on to the leader that asks. */
  takeTokens(demands: OwnedDemands): Promise<readonly TokenGrant[] | null>;
  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[] | null>;
}

export class ProgramLimits {
  readonly #table = new MemoryRateLimits();
  readonly #counting: DecidingLeader<CountingLeader>;
  #lastOwner = 0;

  /** `before`: counts until it passes on what it has counted. Default: this one counts from the start. */
  constructor(before?: CountingLeader) {
    this.#counting = new DecidingLeader(before);
  }

  /** For one worker; `end` it with the worker. */
  leases(): TokenLeases {
    const owner = ++this.#lastOwner;
    return new TokenLeases((demands) => this.#takeTokens({ owner, demands }));
  }

  #takeTokens(owned: OwnedDemands): Promise<readonly TokenGrant[]> {
    return this.#counting.decide(
      (other) => other.takeTokens(owned).catch(hasEnded),
      () => owned.demands.map(({ key, demand }) => this.#table.takeNow(key, demand)),
    );
  }

  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[]> {
    return this.#counting.decide(
      (other) => other.strike(strikes).catch(hasEnded),
      () => strikes.map(({ key, strike }) => this.#table.strikeNow(key, strike)),
    );
  }

  /** From now on, another leader counts. Rejects if it does not take what was counted here: `goOn` then. */
  async passOn(other: CountingLeader, send: (passed: PassedLimits) => Promise<unknown>): Promise<void> {
    await this.#counting.passOn(other, this.#passAll(send));
  }

  async #passAll(send: (passed: PassedLimits) => Promise<unknown>): Promise<void> {
    for (const state of this.#table.states(maxPassed)) await send({ state, isLast: false });
    await send({ state: nothing, isLast: true });
  }

  /** The other leader has failed: this one counts again. */
  goOn(): void {
    this.#counting.goOn();
  }

  /** Counts from the last part on. */
  receive({ state, isLast }: PassedLimits): void {
    this.#table.restore(state);
    if (isLast) this.#counting.takeOver();
  }
}

/** A leader that cannot be asked counts no more. */
function hasEnded(): undefined {
  return undefined;
}

/** What the workers of another leader hold. */
export class OtherLeadersTokens {
  readonly #limits: ProgramLimits;
  /** By the number that the other leader gives to a worker. */
  readonly #leases = new Map<number, TokenLeases>();

  constructor(limits: ProgramLimits) {
    this.#limits = limits;
  }

  take({ owner, demands }: OwnedDemands): Promise<readonly TokenGrant[]> {
    const leases = this.#leases.get(owner) ?? this.#limits.leases();
    this.#leases.set(owner, leases);
    return leases.take(demands);
  }

  /** The other leader has ended, or does not take over: what its workers held goes back. */
  end(): void {
    for (const leases of this.#leases.values()) leases.end();
    this.#leases.clear();
  }
}

const nothing: RateLimitState = { buckets: [], windows: [], bans: [] };
/** Of each sort, in one message. */
const maxPassed = 5000;
