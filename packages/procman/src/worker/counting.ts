// Tells the leader what the components of this worker count: once a second, when the leader asks, and at the end.

import { Metrics, serverGroup, watchProcess, type CountReport } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, WorkerCalls, WorkerUsage } from "../channel/calls.ts";

export class Counting {
  readonly metrics = new Metrics();
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;
  readonly #unwatch: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>, slot: number) {
    this.#leader = leader;
    this.#unwatch = watchProcess(this.metrics, slot);
    this.#timer = setInterval(() => leader.tell("counted", this.changes()), interval).unref();
  }

  changes(): CountReport {
    return this.metrics.changes();
  }

  /** The last numbers; waits until the leader has them, or is gone. Never rejects. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#leader.call("counted", this.changes()).catch(() => {});
    this.#unwatch();
  }
}

/** What this process uses, with what its components have counted. */
export function usageOf(metrics: Metrics): WorkerUsage {
  const { user, system } = process.cpuUsage();
  const conns = metrics.sum(serverGroup, serverGroup.at.open);
  return { rss: process.memoryUsage.rss(), cpu: (user + system) / 1000, conns };
}

/** In ms. */
const interval = 1000;
