// The old leader, as the new one sees it that it has started.

import { HemiError, type CountNews, type HeldName, type StrikeCount, type TokenGrant } from "@hemi/hemi/base";
import type { Broadcast, KeyedStrike } from "../channel/calls.ts";
import { Channel, type Handlers } from "../channel/channel.ts";
import type { PredecessorCalls, SuccessorCalls } from "../channel/handover.ts";
import type { LockAnswer, OwnedDemands } from "../channel/shared-calls.ts";
import type { WorkerStatus } from "../control/actions.ts";
import type { GivenSocket } from "../control/admin.ts";
import { predecessorVariable } from "./predecessor-variable.ts";
import type { CountedWorker } from "./program-counts.ts";
import type { CountingLeader } from "./program-limits.ts";
import type { GrantingLeader } from "./program-locks.ts";
import type { SocketName } from "./socket-list.ts";

/** For a process that takes over from this one. */
export function environmentOfSuccessor(): NodeJS.ProcessEnv {
  const { WATCHDOG_PID: watched, ...env } = process.env;
  // systemd watches the leader, whichever it is.
  const isWatched = watched === undefined || watched === String(process.pid);
  return { ...env, ...(isWatched ? {} : { WATCHDOG_PID: watched }), [predecessorVariable]: String(process.pid) };
}

/**
 * Whether this process was started to take over from its parent. Its own child processes do not see this. Throws
 * HEMI_PROCESS if the parent is gone already: this process is not to become a program of its own.
 */
export function hasPredecessor(): boolean {
  const pid = process.env[predecessorVariable];
  Reflect.deleteProperty(process.env, predecessorVariable);
  if (pid === undefined) return false;
  if (pid !== String(process.ppid) || !process.connected)
    throw new HemiError("HEMI_PROCESS", `the leader to take over from, process ${pid}, has ended`);
  return true;
}

export class Predecessor implements CountedWorker, CountingLeader, GrantingLeader {
  readonly #channel: Channel<PredecessorCalls, SuccessorCalls>;
  #state: CountedWorker["state"] = "ready";
  /** Resolves when the process has ended, or wants nothing more of this one. */
  readonly gone: Promise<void>;

  /** `calls`: what it may ask. */
  constructor(calls: Handlers<SuccessorCalls>) {
    this.#channel = new Channel<PredecessorCalls, SuccessorCalls>(process, calls);
    this.gone = new Promise((resolve) => {
      process.once("disconnect", () => {
        this.#state = "ended";
        resolve();
      });
    });
  }

  get state(): CountedWorker["state"] {
    return this.#state;
  }

  call(name: "count", params: undefined): Promise<undefined> {
    return this.#channel.call(name, params);
  }

  tellCounts(news: readonly CountNews[]): void {
    for (const part of news) this.#channel.tell("counted", part);
  }

  deliver(message: Broadcast): void {
    this.#channel.tell("deliver", message);
  }

  /** It does not take new clients any more, and needs no new secrets. */
  tellSecret(): void {}

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

  async socket(name: SocketName): Promise<unknown> {
    const [, handle] = await this.#channel.callForHandle("socket", name);
    return handle;
  }

  /** That of `--admin`; `undefined`: there is none. */
  async adminSocket(): Promise<GivenSocket | undefined> {
    const [place, handle] = await this.#channel.callForHandle("adminSocket", undefined);
    return place === null ? undefined : { ...place, handle };
  }

  /** Its workers, which finish their work. */
  async workers(): Promise<readonly WorkerStatus[]> {
    if (this.#state === "ended") return [];
    return await this.#channel.call("workers", undefined).catch(() => []);
  }

  /** Ends it at once. */
  stop(): void {
    this.#channel.tell("stop", undefined);
  }
}
