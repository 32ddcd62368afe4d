// The old leader's side of a change of leaders: it starts the new one, gives it the state of the program, and lets it
// lead. `channel/handover.ts` has all steps.
//
//   prepare ────────────> lead ─────────> decided
//   orders are carried    orders wait     orders are passed on to the new leader, or carried out here if it failed
//   out here

import { HemiError } from "@hemi/hemi/base";
import type { Broadcast } from "../channel/calls.ts";
import { WithHandle, type Handlers } from "../channel/channel.ts";
import type { Handover, PredecessorCalls } from "../channel/handover.ts";
import type { WorkerStatus } from "../control/actions.ts";
import type { OtherLeaders } from "./other-leaders.ts";
import type { ProgramCounts } from "./program-counts.ts";
import { OtherLeadersTokens, type ProgramLimits } from "./program-limits.ts";
import type { ProgramLocks } from "./program-locks.ts";
import type { ProgramOrders } from "./program-orders.ts";
import type { Secrets } from "./secrets.ts";
import type { Sockets } from "./sockets.ts";
import type { Successor } from "./successor.ts";

/** Another leader leads the program by now. */
export class HandedOver extends HemiError {
  constructor() {
    super("HEMI_PROCESS", "another leader has taken over the program");
  }
}

/** What another leader goes on with. */
export interface HandedProgram {
  readonly counts: ProgramCounts;
  readonly orders: ProgramOrders;
  readonly sockets: Sockets;
  readonly secrets: Secrets;
  readonly locks: ProgramLocks;
  readonly limits: ProgramLimits;
  readonly otherLeaders: OtherLeaders;
  /** Throws HEMI_PROCESS if the program is not ready, or ends. */
  readonly state: () => Pick<Handover, "workers" | "startedAt" | "reloads" | "running">;
  /** Whether a worker here does what is done once for the program. */
  readonly setLeading: (isLeading: boolean) => Promise<void>;
  readonly workers: () => Promise<readonly WorkerStatus[]>;
  readonly broadcast: (message: Broadcast, from: Successor) => void;
}

/** What the program around the leader does. */
export interface HandoverSteps {
  /** Starts the process of the new leader, which may ask for this. */
  readonly start: (calls: LeaderHandlers) => Successor;
  /** Closes what would take orders past those that wait, and what only one leader can have. */
  readonly letGo: () => void;
}

/** What a leader answers to the next one; the rest belongs to its program. */
export type LeaderHandlers = Omit<Handlers<PredecessorCalls>, "adminSocket" | "stop">;

export class HandingOver {
  readonly #program: HandedProgram;
  /** The process that gets ready to take over. */
  #candidate: Successor | undefined;
  #successor: Successor | undefined;
  #decision: Promise<void> | undefined;
  /** Whether the next leader counts and grants locks. */
  #hasPassedOn = false;

  constructor(program: HandedProgram) {
    this.#program = program;
  }

  /** Who leads in the place of this leader. */
  get successor(): Successor | undefined {
    return this.#successor;
  }

  /** Resolves when it is known who leads: at once, except while another leader takes over. Orders wait for it. */
  async decided(): Promise<void> {
    await this.#decision;
  }

  /** Rejects if the new leader does not get ready, or does not take over: this one goes on. */
  async run({ start, letGo }: HandoverSteps): Promise<Successor> {
    const program = this.#program;
    program.state();
    const tokens = new OtherLeadersTokens(program.limits);
    const successor: Successor = start(this.#callsOf(() => successor, tokens));
    program.otherLeaders.add(successor);
    this.#candidate = successor;
    try {
      const { orders, secrets, sockets } = program;
      await successor.prepare({
        ...program.state(),
        secrets: secrets.all(),
        nodeOrders: orders.current.nodes,
        sockets: await sockets.list(),
      });
      program.state();
      await this.#letLead(successor, letGo);
      return successor;
    } catch (error) {
      await successor.end();
      program.otherLeaders.delete(successor);
      program.counts.ended(successor);
      this.#hasPassedOn = false;
      program.locks.goOn();
      program.locks.releaseAll(successor);
      program.limits.goOn();
      tokens.end();
      await program.setLeading(true);
      throw error;
    } finally {
      this.#candidate = undefined;
    }
  }

  /** An order that came while another leader takes over would change what that one does not know. */
  async #letLead(successor: Successor, letGo: () => void): Promise<void> {
    const { orders, limits, locks, setLeading } = this.#program;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#decision = promise;
    try {
      letGo();
      await setLeading(false);
      await orders.settled();
      this.#hasPassedOn = true;
      await Promise.all([
        limits.passOn(successor, (passed) => successor.passLimits(passed)),
        locks.passOn(successor, (passed) => successor.passLocks(passed)),
      ]);
      await successor.lead({
        nodeOrders: orders.current.nodes,
        logLevels: orders.levels,
        followers: orders.followers.all,
      });
      this.#successor = successor;
    } finally {
      this.#decision = undefined;
      resolve();
    }
  }

  #callsOf(successor: () => Successor, tokens: OtherLeadersTokens): LeaderHandlers {
    const { counts, limits, locks, sockets, broadcast, workers } = this.#program;
    return {
      socket: async (name) => new WithHandle(undefined, await sockets.at(name)),
      deliver: (message) => {
        broadcast(message, successor());
      },
      count: async () => {
        successor().tellCounts(await counts.newsWithout(successor()));
        return undefined;
      },
      counted: (news) => {
        counts.take(successor(), news);
      },
      takeTokens: (demands) => (this.#hasPassedOn ? null : tokens.take(demands)),
      strike: (strikes) => (this.#hasPassedOn ? null : limits.strike(strikes)),
      acquireLock: async ({ name, ttl }) => {
        return this.#hasPassedOn ? null : { token: await locks.acquire(name, ttl, successor()) };
      },
      renewLock: ({ ttl, ...held }) => (this.#hasPassedOn ? null : locks.renew(held, ttl)),
      releaseLock: (held) => {
        locks.release(held);
      },
      workers,
    };
  }

  /** The program ends: the process that gets ready does, too. */
  async endCandidate(): Promise<void> {
    await this.#candidate?.end();
  }
}
