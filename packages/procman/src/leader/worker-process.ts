// One worker process, as the leader sees it.

import type { ChildProcess } from "node:child_process";
import { afterRunning } from "@hemi/common";
import { CountTeller, HemiError, type LogEntry } from "@hemi/hemi/base";
import { Channel, RemoteError, WithHandle, type Handlers } from "../channel/channel.ts";
import {
  assertSameProtocol,
  protocolVersion,
  type Broadcast,
  type FollowedLines,
  type LeaderCalls,
  type RunningConfig,
  type ServeOptions,
  type Standing,
  type WorkerCalls,
} from "../channel/calls.ts";
import { within } from "../channel/within.ts";
import { endOf, startChild, type ChildOptions } from "./child-process.ts";
import type { ProgramCounts } from "./program-counts.ts";
import type { ProgramLimits } from "./program-limits.ts";
import type { ProgramLocks } from "./program-locks.ts";
import type { Sockets } from "./sockets.ts";

/**
 *     booting ──> ready ──quit──> draining ──> ended
 *        └─────────┴── a failure, a kill ───────^
 */
export type WorkerState = "booting" | "ready" | "draining" | "ended";

export interface WorkerProcessOptions {
  readonly slot: number;
  readonly sockets: Sockets;
  readonly children: ChildOptions;
  /** A message for the other workers. */
  readonly broadcast: (message: Broadcast, from: WorkerProcess) => void;
  /** Random bytes that all workers have in common, in base64. */
  readonly secret: (name: string) => string;
  readonly renewSecret: (name: string) => void;
  /** What all workers have counted. */
  readonly counts: ProgramCounts;
  /** The rate limits that all workers share. */
  readonly limits: ProgramLimits;
  /** The locks that all workers share. */
  readonly locks: ProgramLocks;
  /** Is given lines of its error log. */
  readonly logged: (from: WorkerProcess, entries: readonly LogEntry[]) => void;
  /** Takes access lines for those who follow the traffic. */
  readonly accessLines: (lines: FollowedLines) => void;
  /** It takes no messages, and is killed: those that wait for it would fill the memory. */
  readonly stuck: (worker: WorkerProcess) => void;
}

export class WorkerProcess {
  readonly slot: number;
  readonly startedAt = Date.now();
  readonly #begunAt = performance.now();
  readonly #child: ChildProcess;
  readonly #channel: Channel<WorkerCalls, LeaderCalls>;
  /** Of the sum of all workers. */
  readonly #teller = new CountTeller();
  /** Resolves when the process has ended, with the reason in words. */
  readonly ended: Promise<string>;
  readonly #left = Promise.withResolvers<void>();
  state: WorkerState = "booting";
  #isKilled = false;

  constructor(options: WorkerProcessOptions) {
    const { slot, sockets, children, broadcast, secret, renewSecret, counts, logged, accessLines } = options;
    const { limits, locks, stuck } = options;
    const leases = limits.leases();
    this.slot = slot;
    this.#child = startChild("worker", children);
    const handlers: Handlers<LeaderCalls> = {
      socket: async (wish) => {
        const { handle, ...place } = await sockets.acquire(wish, slot, this);
        return new WithHandle(place, handle);
      },
      release: async ({ key }) => {
        await sockets.release(key, this);
        return undefined;
      },
      broadcast: (message) => {
        broadcast(message, this);
      },
      secret: ({ name }) => secret(name),
      renewSecret: ({ name }) => {
        renewSecret(name);
      },
      counted: (news) => {
        counts.take(this, news);
      },
      accessLines: (lines) => {
        accessLines(lines);
      },
      sumCounts: async () => {
        for (const news of await counts.news(this.#teller)) this.#channel.tell("summed", news);
        return undefined;
      },
      takeTokens: (demands) => leases.take(demands),
      strike: (strikes) => limits.strike(strikes),
      acquireLock: ({ name, ttl }) => locks.acquire(name, ttl, this),
      renewLock: ({ ttl, ...held }) => locks.renew(held, ttl),
      releaseLock: (held) => {
        locks.release(held);
      },
      logged: (entries) => {
        logged(this, entries);
      },
    };
    this.#channel = new Channel<WorkerCalls, LeaderCalls>(this.#child, handlers, {
      stuck: () => {
        if (this.#isKilled) return;
        stuck(this);
        this.kill();
      },
    });
    this.ended = endOf(this.#child).then((reason) => {
      this.state = "ended";
      this.#left.resolve();
      sockets.forget(this);
      counts.ended(this);
      locks.releaseAll(this);
      leases.end();
      return reason;
    });
  }

  /** How long it has been there, in milliseconds, whatever becomes of the system time. */
  get age(): number {
    return performance.now() - this.#begunAt;
  }

  /** `undefined` if the process could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Boots a configuration. Rejects with a RemoteError that says why it cannot be served, and with HEMI_PROCESS if the
   * process ends before, or is not ready within `patience` milliseconds (`undefined`: there is no limit). It has ended
   * then, or is killed.
   */
  async boot(
    options: ServeOptions,
    config: RunningConfig | undefined,
    standing: Standing,
    patience: number | undefined,
  ): Promise<RunningConfig> {
    const booted = this.#channel.call("boot", { version: protocolVersion, options, config, standing });
    const dead = this.ended.then((reason) => {
      throw new HemiError("HEMI_PROCESS", `the worker ${reason} before it was ready`);
    });
    dead.catch(() => {});
    try {
      // The channel closes a moment before the process is known to have ended, which says more.
      const answered = booted.catch((error: unknown) => (error instanceof RemoteError ? Promise.reject(error) : dead));
      const ready = Promise.race([answered, dead]);
      const late = `worker ${this.slot} was not ready`;
      const { version, config: running } = await (patience === undefined ? ready : within(patience, late, ready));
      assertSameProtocol(version, "workers");
      if (this.state === "booting") this.state = "ready";
      return running;
    } catch (error) {
      // The process may have ended while its answer was under way.
      this.#child.kill("SIGKILL");
      throw error;
    }
  }

  /** Calls something else. Rejects with a RemoteError, or with HEMI_PROCESS if the process has ended. */
  call<Name extends keyof WorkerCalls>(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]> {
    return this.#channel.call(name, params);
  }

  /** As `call`, where the result does not matter. */
  tell<Name extends keyof WorkerCalls>(name: Name, params: WorkerCalls[Name]["params"]): void {
    this.#channel.tell(name, params);
  }

  /** Resolves when it accepts no connections any more: some time after `quit`, or at its end. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Lets it finish its work within `grace` milliseconds; resolves when it has ended. Then it is killed. */
  async quit(grace: number): Promise<void> {
    if (this.state === "ended") return;
    this.state = "draining";
    this.call("quit", { grace }).then(this.#left.resolve, () => {});
    await this.#endsWithin(grace + extraTime);
  }

  /** Ends it at once; what it has written to its logs is kept. */
  async stop(): Promise<void> {
    this.state = "draining";
    this.tell("stop", undefined);
    await this.#endsWithin(stopTime);
  }

  /** Or is killed. */
  async #endsWithin(time: number): Promise<void> {
    const forget = afterRunning(time, () => this.kill());
    await this.ended;
    forget();
  }

  kill(): void {
    this.#isKilled = true;
    this.#child.kill("SIGKILL");
  }
}

/** Shutdown of a stage has at least 5 s, and the log 2 s. In milliseconds. */
const extraTime = 8000;
const stopTime = 2000;
