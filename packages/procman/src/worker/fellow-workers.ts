// The other workers of the program, reached through the leader.

import { guarded } from "@hemi/common";
import { HemiError, type ErrorLog, type Workers } from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { Broadcast, LeaderCalls, Standing, WorkerCalls } from "../channel/calls.ts";

export class FellowWorkers implements Workers {
  readonly #leader: Channel<LeaderCalls, WorkerCalls>;
  readonly #log: ErrorLog;
  readonly #changed = new Set<() => void>();
  readonly #subscribers = new Map<string, Set<(message: unknown) => void>>();
  #standing: Standing;

  constructor(leader: Channel<LeaderCalls, WorkerCalls>, standing: Standing, log: ErrorLog) {
    this.#leader = leader;
    this.#standing = standing;
    this.#log = log;
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

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  broadcast(topic: string, message: unknown): void {
    const size = Buffer.byteLength(JSON.stringify(message) ?? "");
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

  // ---- called for the leader ----

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

/** In bytes. */
const maxMessage = 65_536;
