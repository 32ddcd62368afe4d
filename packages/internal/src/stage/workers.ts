// The worker processes of a program, as a component sees them. A program of one process has one worker: itself.

import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { CountReport, Metrics } from "../metrics/metrics.ts";
import { MemoryRateLimits } from "./limits/memory-rate-limits.ts";
import type { RateLimitStore } from "./limits/rate-limit-store.ts";
import type { LockService } from "./locks/lock-service.ts";
import { MemoryLocks } from "./locks/memory-locks.ts";

/** Components use it through `context.workers`. */
export interface Workers {
  /** The slot of this worker, from 0. A worker that replaces another one has its slot. */
  readonly slot: number;
  /** How many workers serve. A limit that is meant for the whole program is divided by it. */
  readonly count: number;
  /**
   * Whether this worker does what is done once for the program: active health checks, cronjobs, rotation of log files.
   * It is the ready worker with the lowest slot, so it can change at any time.
   */
  readonly isPrimary: boolean;
  /**
   * Whether the program ends soon and still serves (`--drain-delay`). Health checks fail meanwhile, so that a load
   * balancer sends no new clients.
   */
  readonly isDraining: boolean;
  /** Calls back when `isPrimary`, `isDraining` or `count` has changed. Returns the function that ends this. */
  onChange(listener: () => void): () => void;
  /**
   * Sends a message to all other workers: plain data, at most 64 KiB as JSON. Messages of one worker arrive in order;
   * a worker that is replaced at that moment may miss some.
   */
  broadcast(topic: string, message: unknown): void;
  /** Receives the messages of other workers about a topic. Returns the function that ends this. */
  subscribe(topic: string, listener: (message: unknown) => void): () => void;
  /**
   * The numbers of all workers, summed, with the counters of workers that have ended. `own`: those of this worker.
   * Rejects with HEMI_PROCESS.
   */
  sumCounts(own: Metrics): Promise<CountReport>;
  /**
   * 48 random bytes that all workers have in common, by name: keys of TLS session tickets. Rejects with HEMI_PROCESS.
   */
  secret(name: string): Promise<Buffer>;
  /** Replaces a secret for all workers. Let the primary worker do it. */
  renewSecret(name: string): void;
  /** Receives a secret each time it is replaced. Returns the function that ends this. */
  onSecret(name: string, listener: (secret: Buffer) => void): () => void;
  /** Rate limits that all workers share, in the memory of the leader. */
  readonly limits: RateLimitStore;
  /** Locks that all workers share, in the memory of the leader. Those of a worker that ends are free at once. */
  readonly locks: LockService;
}

/** This worker's part of a number that is meant for the whole program; at least one. */
export function shareOf(limit: number, { count }: Workers): number {
  return Math.ceil(limit / count);
}

/** The worker of a program of one process. */
export class OnlyWorker implements Workers {
  readonly slot = 0;
  readonly count = 1;
  readonly isPrimary = true;
  readonly limits = new MemoryRateLimits();
  readonly locks = new MemoryLocks();
  readonly #secrets = new Map<string, Buffer>();
  readonly #listeners = new Map<string, Set<(secret: Buffer) => void>>();
  readonly #changed = new Set<() => void>();
  isDraining = false;

  /** From now on, `isDraining` is true. */
  drain(): void {
    this.isDraining = true;
    for (const changed of this.#changed) changed();
  }

  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  broadcast(): void {}

  subscribe(): () => void {
    return () => {};
  }

  async sumCounts(own: Metrics): Promise<CountReport> {
    // What ends in this turn of the event loop is counted at its end.
    await turn();
    return own.report();
  }

  secret(name: string): Promise<Buffer> {
    const secret = this.#secrets.get(name) ?? randomBytes(secretSize);
    this.#secrets.set(name, secret);
    return Promise.resolve(secret);
  }

  renewSecret(name: string): void {
    const secret = randomBytes(secretSize);
    this.#secrets.set(name, secret);
    for (const listener of this.#listeners.get(name) ?? []) listener(secret);
  }

  onSecret(name: string, listener: (secret: Buffer) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }
}

/** The workers of a program of one process: itself. */
export const onlyWorker: Workers = new OnlyWorker();

const secretSize = 48;
