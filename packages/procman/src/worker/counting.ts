// Tells the leader what the components of this worker count: once a second, when the leader asks, and at the end.

import { Metrics, serverGroup, watchProcess } from "@hemi/hemi";
import { CountTeller } from "@hemi/hemi/base";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, WorkerCalls, WorkerUsage } from "../channel/calls.ts";

export class Counting {
  readonly metrics = new Metrics();
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;
  readonly #teller = new CountTeller();
  readonly #unwatch: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>, slot: number) {
    this.#leader = leader;
    this.#unwatch = watchProcess(this.metrics, slot);
    this.#timer = setInterval(() => this.tell(), interval).unref();
  }

  /** Tells what has changed. */
  tell(): void {
    for (const news of this.#teller.news(this.metrics.slices())) this.#leader.tell("counted", news);
  }

  /** The last numbers; waits until the leader has them, or is gone. Never rejects. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    const told = this.#teller.news(this.metrics.slices()).map((news) => this.#leader.call("counted", news));
    await Promise.allSettled(told);
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
