// The other workers of the program, reached through the leader.

import { guarded } from "@hemi/common";
import { HemiError, type CountReport, type ErrorLog, type Workers } from "@hemi/hemi";
import { CountSum, type CountNews } from "@hemi/hemi/base";
import type { Channel } from "../channel/channel.ts";
import type { Broadcast, LeaderCalls, Standing, WorkerCalls } from "../channel/calls.ts";
import { LeaderLimits } from "./leader-limits.ts";
import { LeaderLocks } from "./leader-locks.ts";

export class FellowWorkers implements Workers {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;
  readonly #log: ErrorLog;
  readonly #changed = new Set<() => void>();
  readonly #subscribers = new Map<string, Set<(message: unknown) => void>>();
  /** What the leader has told of the sum of all workers. Empty until something asks for it. */
  readonly #sum = new CountSum<Channel<LeaderCalls, WorkerCalls>>();
  readonly limits: LeaderLimits;
  readonly locks: LeaderLocks;
  #standing: Standing;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>, standing: Standing, log: ErrorLog) {
    this.#leader = leader;
    this.#standing = standing;
    this.#log = log;
    this.limits = new LeaderLimits(leader);
    this.locks = new LeaderLocks(leader);
  }

  get slot(): number {
    return this.#standing.slot;
  }

  get count(): number {
    return this.#standing.count;
  }

  get isPrimary(): boolean {
    return this.#standing.isPrimary;
  }

  get isDraining(): boolean {
    return this.#standing.isDraining;
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  broadcast(topic: string, message: unknown): void {
    if (topic.startsWith("\0")) throw new HemiError("HEMI_USAGE", "a topic does not begin with NUL");
    const size = Buffer.byteLength(JSON.stringify([message]));
    if (size > maxMessage) {
      throw new HemiError("HEMI_USAGE", `a broadcast has at most ${maxMessage} bytes as JSON, not ${size}`);
    }
    this.#leader.tell("broadcast", { topic, message });
  }

  subscribe(topic: string, listener: (message: unknown) => void): () => void {
    const listeners = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#subscribers.get(topic) === listeners) this.#subscribers.delete(topic);
    };
  }

  async sumCounts(): Promise<CountReport> {
    await this.#leader.call("sumCounts", undefined);
    return await this.#sum.totalInSlices();
  }

  async secret(name: string): Promise<Buffer> {
    return Buffer.from(await this.#leader.call("secret", { name }), "base64");
  }

  renewSecret(name: string): void {
    this.#leader.tell("renewSecret", { name });
  }

  onSecret(name: string, listener: (secret: Buffer) => void): () => void {
    return this.subscribe(secretTopic(name), (secret) => listener(Buffer.from(String(secret), "base64")));
  }

  // ---- called for the leader ----

  renewed(name: string, secret: string): void {
    this.deliver({ topic: secretTopic(name), message: secret });
  }

  summed(news: CountNews): void {
    this.#sum.take(this.#leader, news);
  }

  stands(standing: Standing): void {
    this.#standing = standing;
    for (const changed of this.#changed) this.#guarded(changed);
  }

  deliver({ topic, message }: Broadcast): void {
    for (const listener of this.#subscribers.get(topic) ?? []) this.#guarded(() => listener(message));
  }

  #guarded(work: () => void): void {
    guarded(work, (error) => this.#log.error("failed at news of other workers", { error }));
  }
}

/** A topic that no component uses: broadcasts cannot forge a secret. */
function secretTopic(name: string): string {
  return `\0secret ${name}`;
}

/** In bytes. */
const maxMessage = 65_536;
