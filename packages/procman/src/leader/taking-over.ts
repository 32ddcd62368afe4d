// The new leader's side of a change of leaders: this process takes the program over from the leader that has started
// it. `channel/handover.ts` has all steps.

import { HemiError } from "@hemi/hemi/base";
import { assertSameHandover, handoverVersion, type Handover, type LastState } from "../channel/handover.ts";
import type { Entrances } from "../control/entrances.ts";
import type { Act } from "../control/handlers.ts";
import type { Leader, LeaderOptions } from "./leader.ts";
import { Predecessor } from "./predecessor.ts";
import { OtherLeadersTokens } from "./program-limits.ts";
import { Sockets } from "./sockets.ts";

/** The program in this process. */
export interface TakingProgram {
  readonly entrances: Entrances;
  /** Makes the leader of this process, which is not started yet. */
  readonly makeLeader: (options: Pick<LeaderOptions, "workers" | "sockets" | "takenOver">) => Leader;
  /** Carries out a call of a client that has reached the old leader. */
  readonly act: Act;
  /** This process leads from now on. */
  readonly leads: () => Promise<void>;
}

export class TakingOver {
  readonly predecessor: Predecessor;
  readonly #program: TakingProgram;
  readonly #led = Promise.withResolvers<void>();
  #leader: Leader | undefined;
  /** Of the workers of the old leader. */
  #tokens: OtherLeadersTokens | undefined;
  #mayLead = false;

  constructor(program: TakingProgram) {
    this.#program = program;
    this.#led.promise.catch(() => {});
    this.predecessor = new Predecessor({
      greet: ({ version }) => {
        assertSameHandover(version);
        return { version: handoverVersion };
      },
      prepare: (handover) => this.#prepare(handover),
      limits: (passed) => {
        this.#prepared.limits.receive(passed);
        return undefined;
      },
      locks: (passed) => {
        this.#prepared.locks.receive(passed, this.predecessor);
        return undefined;
      },
      takeTokens: (demands) => {
        this.#tokens ??= new OtherLeadersTokens(this.#prepared.limits);
        return this.#tokens.take(demands);
      },
      strike: (strikes) => this.#prepared.limits.strike(strikes),
      acquireLock: async ({ name, ttl }) => {
        return { token: await this.#prepared.locks.acquire(name, ttl, this.predecessor) };
      },
      renewLock: ({ ttl, ...held }) => this.#prepared.locks.renew(held, ttl),
      releaseLock: (held) => {
        this.#leader?.locks.release(held);
      },
      lead: (state) => this.#lead(state),
      act: ({ name, params }) => program.act(name, params),
      secret: ({ name, secret }) => {
        this.#leader?.takeSecret(name, secret);
      },
      deliver: (message) => {
        this.#leader?.broadcast(message, this.predecessor);
      },
      accessLines: (lines) => {
        this.#leader?.orders.followers.take(lines);
      },
      leaderLogged: async (entries) => {
        await this.#prepared.calls.primary("leaderLogged", entries);
        return undefined;
      },
      count: async () => {
        const { predecessor } = this;
        predecessor.tellCounts((await this.#leader?.counts.newsWithout(predecessor)) ?? []);
        return undefined;
      },
      counted: (news) => {
        this.#leader?.counts.take(this.predecessor, news);
      },
    });
    void this.predecessor.gone.then(() => {
      this.#tokens?.end();
      if (this.#mayLead) return;
      this.#led.reject(new HemiError("HEMI_PROCESS", "the old leader has ended, or goes on itself"));
    });
  }

  /** Resolves when this process leads. Rejects if the old one goes on, or ends before it has let go. */
  get led(): Promise<void> {
    return this.#led.promise;
  }

  get #prepared(): Leader {
    if (this.#leader === undefined) throw new HemiError("HEMI_PROCESS", "the program is not ready yet");
    return this.#leader;
  }

  async #prepare(handover: Handover): Promise<undefined> {
    const { entrances, makeLeader } = this.#program;
    const { predecessor } = this;
    await entrances.prepare();
    const { workers } = handover;
    const sockets = await Sockets.taken(workers, handover.sockets, (name) => predecessor.socket(name));
    this.#leader = makeLeader({ workers, sockets, takenOver: { predecessor, handover } });
    await this.#leader.start();
    return undefined;
  }

  async #lead(state: LastState): Promise<undefined> {
    const { entrances, leads } = this.#program;
    const admin = await this.predecessor.adminSocket();
    // From here on, the end of the old leader is none of the program.
    this.#mayLead = true;
    try {
      await entrances.seize(admin);
      await this.#prepared.lead(state);
      await leads();
      this.#led.resolve();
      return undefined;
    } catch (error) {
      this.#led.reject(error);
      throw error;
    }
  }
}
