// For tests: the workers of a program, all in this process.

import type { CountReport, Metrics } from "../metrics/metrics.ts";
import { MemoryRateLimits } from "../stage/limits/memory-rate-limits.ts";
import { MemoryLocks } from "../stage/locks/memory-locks.ts";
import type { Workers } from "../stage/workers.ts";

type Listener = (message: unknown) => void;

export class FakeProgram {
  readonly limits = new MemoryRateLimits();
  readonly locks = new MemoryLocks();
  readonly #workers: FakeWorker[] = [];

  /** One worker more. The first one that has not left is the primary one. */
  join(): Workers {
    const worker = new FakeWorker(this, this.#workers.length);
    this.#workers.push(worker);
    return worker;
  }

  /** The primary worker leaves; the next one takes its place. */
  leave(): void {
    this.#workers.shift();
    for (const worker of this.#workers) worker.changed();
  }

  get count(): number {
    return this.#workers.length;
  }

  isPrimary(worker: Workers): boolean {
    return this.#workers[0] === worker;
  }

  deliver(from: Workers, topic: string, message: unknown): void {
    // As between processes: a copy, and later.
    const copy: unknown = structuredClone(message);
    for (const worker of this.#workers) if (worker !== from) setImmediate(() => worker.deliver(topic, copy));
  }
}

class FakeWorker implements Workers {
  readonly slot: number;
  readonly isDraining = false;
  readonly #program: FakeProgram;
  readonly #changed = new Set<() => void>();
  readonly #subscribers = new Map<string, Set<Listener>>();

  constructor(program: FakeProgram, slot: number) {
    this.#program = program;
    this.slot = slot;
  }

  get limits(): MemoryRateLimits {
    return this.#program.limits;
  }

  get locks(): MemoryLocks {
    return this.#program.locks;
  }

  get count(): number {
    // Those that join later count from the beginning.
    return Math.max(this.#program.count, 2);
  }

  get isPrimary(): boolean {
    return this.#program.isPrimary(this);
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  changed(): void {
    for (const listener of this.#changed) listener();
  }

  broadcast(topic: string, message: unknown): void {
    this.#program.deliver(this, topic, message);
  }

  sumCounts(own: Metrics): Promise<CountReport> {
    return Promise.resolve(own.report());
  }

  subscribe(topic: string, listener: Listener): () => void {
    const listeners = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  deliver(topic: string, message: unknown): void {
    for (const listener of this.#subscribers.get(topic) ?? []) listener(message);
  }

  secret(): Promise<Buffer> {
    return Promise.resolve(Buffer.alloc(48));
  }

  renewSecret(): void {}

  onSecret(): () => void {
    return () => {};
  }
}
