// The process of the next leader, as the one that runs sees it.

import type { ChildProcess } from "node:child_process";
import {
  HemiError,
  type CountNews,
  type HeldName,
  type LogEntry,
  type StrikeCount,
  type TokenGrant,
} from "@hemi/hemi/base";
import type { Broadcast, FollowedLines, KeyedStrike } from "../channel/calls.ts";
import { Channel, RemoteError, type Handlers } from "../channel/channel.ts";
import {
  assertSameHandover,
  handoverVersion,
  type Handover,
  type LastState,
  type PredecessorCalls,
  type SuccessorCalls,
} from "../channel/handover.ts";
import type { LockAnswer, OwnedDemands, PassedLimits, PassedLocks } from "../channel/shared-calls.ts";
import { within } from "../channel/within.ts";
import { endOf, startAgain } from "./child-process.ts";
import { environmentOfSuccessor } from "./predecessor.ts";
import type { CountedWorker } from "./program-counts.ts";
import type { CountingLeader } from "./program-limits.ts";
import type { GrantingLeader } from "./program-locks.ts";

export class Successor implements CountedWorker, CountingLeader, GrantingLeader {
  readonly #child: ChildProcess;
  readonly #channel: Channel<SuccessorCalls, PredecessorCalls>;
  readonly #ended: Promise<string>;
  readonly #patience: number;
  readonly #acts = new Set<Promise<unknown>>();
  #state: CountedWorker["state"] = "booting";

  /**
   * Starts the process. `calls`: what it may ask. `patience`: how long it may take to start, in milliseconds; each of
   * its workers may take twice as long.
   */
  constructor(calls: Handlers<PredecessorCalls>, patience: number) {
    this.#patience = patience;
    this.#child = startAgain(environmentOfSuccessor());
    this.#channel = new Channel<SuccessorCalls, PredecessorCalls>(this.#child, calls);
    this.#ended = endOf(this.#child).then((reason) => {
      this.#state = "ended";
      return reason;
    });
  }

  get state(): CountedWorker["state"] {
    return this.#state;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Gives it the state of the program, and waits until its workers are ready. Rejects with HEMI_PROCESS if it speaks
   * another version of the protocol, ends or is late, and with a RemoteError that says why it cannot lead.
   */
  async prepare(handover: Handover): Promise<void> {
    const greeted = this.#channel.call("greet", { version: handoverVersion });
    const { version } = await this.#answer(this.#patience, "the new leader did not answer", greeted);
    assertSameHandover(version);
    this.#state = "ready";
    // Its first worker boots before the others.
    const prepared = this.#channel.call("prepare", handover);
    await this.#answer(4 * this.#patience + extraTime, "the new leader was not ready", prepared);
  }

  /** Gives it a part of what was counted here. Rejects if it does not take it in time. */
  async passLimits(passed: PassedLimits): Promise<void> {
    const taken = this.#channel.call("limits", passed);
    await this.#answer(this.#patience, "the new leader did not take the limits", taken);
  }

  /** The same with locks. */
  async passLocks(passed: PassedLocks): Promise<void> {
    const taken = this.#channel.call("locks", passed);
    await this.#answer(this.#patience, "the new leader did not take the locks", taken);
  }

  takeTokens(demands: OwnedDemands): Promise<readonly TokenGrant[] | null> {
    return this.#channel.call("takeTokens", demands);
  }

  strike(strikes: readonly KeyedStrike[]): Promise<readonly StrikeCount[] | null> {
    return this.#channel.call("strike", strikes);
  }

  acquireLock(name: string, ttl: number): Promise<LockAnswer | null> {
    return this.#channel.call("acquireLock", { name, ttl });
  }

  renewLock(held: HeldName, ttl: number): Promise<boolean | null> {
    return this.#channel.call("renewLock", { ...held, ttl });
  }

  releaseLock(held: HeldName): void {
    this.#channel.tell("releaseLock", held);
  }

  /** From now on it leads. Rejects if it could not take over. */
  async lead(state: LastState): Promise<void> {
    const led = this.#channel.call("lead", state);
    await this.#answer(this.#patience, "the new leader did not take over", led);
  }

  call(name: "count", params: undefined): Promise<undefined> {
    return this.#channel.call(name, params);
  }

  tellCounts(news: readonly CountNews[]): void {
    for (const part of news) this.#channel.tell("counted", part);
  }

  /** A call of a client. Rejects with a RemoteError. */
  async act(name: string, params: unknown): Promise<unknown> {
    const act = this.#channel.call("act", { name, params });
    this.#acts.add(act);
    try {
      return await act;
    } finally {
      this.#acts.delete(act);
    }
  }

  deliver(message: Broadcast): void {
    this.#channel.tell("deliver", message);
  }

  /** Lines for those who follow the traffic: it has their ids. */
  passLines(lines: FollowedLines): void {
    this.#channel.tell("accessLines", lines);
  }

  /** Lines of the error log of this leader, for addons of its workers. Rejects if they do not arrive. */
  async passLeaderLines(entries: readonly LogEntry[]): Promise<void> {
    await within(this.#patience, "the lines did not arrive", this.#channel.call("leaderLogged", entries));
  }

  tellSecret(name: string, secret: string): void {
    this.#channel.tell("secret", { name, secret });
  }

  /** The last numbers of the workers here. The process goes on without this one. Never rejects. */
  async leaveTo(counts: readonly CountNews[]): Promise<void> {
    await Promise.allSettled(this.#acts);
    const told = Promise.all(counts.map((news) => this.#channel.call("counted", news)));
    await within(this.#patience, "the counts did not arrive", told).catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  /** Ends it: it does not lead. Its workers finish what they have begun. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    if (this.#child.pid === undefined) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), extraTime);
    await this.#ended;
    clearTimeout(timer);
  }

  async #answer<Result>(time: number, late: string, asked: Promise<Result>): Promise<Result> {
    const dead = this.#ended.then((reason) => {
      throw new HemiError("HEMI_PROCESS", `the new leader ${reason} before it led; the log has its errors`);
    });
    // The channel closes a moment before the process is known to have ended, which says more.
    const answered = asked.catch((error: unknown) => (error instanceof RemoteError ? Promise.reject(error) : dead));
    return await within(time, late, Promise.race([answered, dead]));
  }
}

/** In milliseconds. */
const extraTime = 5000;
