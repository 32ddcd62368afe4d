// The departure of what a reload dropped: it finishes what runs and is shut down, while the next generation serves.

import type { Component } from "../component/component.ts";
import { untilDeadline } from "./deadline.ts";
import type { Failure } from "./failure.ts";
import { withDescendants } from "./generation.ts";
import { LifeCycle } from "./life-cycle.ts";

export class Departure {
  readonly #dropped: readonly Component[];
  readonly #survivors: readonly Component[];
  /** Milliseconds since the epoch. */
  #deadline: number;
  readonly #hastened = Promise.withResolvers<void>();
  /** Settles when all of it is down. What failed is in the log, too. */
  readonly done: Promise<readonly Failure[]>;

  /** `dropped`: each with all that stands in it. `survivors`: all that live on, and may have work in which the dropped have a share. */
  constructor(dropped: readonly Component[], survivors: Iterable<Component>, deadline: number) {
    this.#dropped = dropped;
    this.#survivors = [...survivors].filter(({ part }) => part.settle !== undefined);
    this.#deadline = deadline;
    this.done = this.#depart();
  }

  /** Waits no longer than until then. */
  hasten(deadline: number): void {
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    setTimeout(this.#hastened.resolve, Math.max(deadline - Date.now(), 0)).unref();
  }

  /** From the highest rank down: what serves first; the rest when those above it that live on have let it go. */
  async #depart(): Promise<readonly Failure[]> {
    const parts = new Set([...withDescendants(this.#dropped)].map(({ part }) => part));
    const settling = this.#survivors.map((survivor) => ({
      rank: survivor.kind.rank,
      settled: this.#settle(survivor, parts),
    }));
    const failures: Failure[] = [];
    const ranks = [...Map.groupBy(this.#dropped, ({ kind }) => kind.rank)].sort(([a], [b]) => b - a);
    for (const [rank, components] of ranks) {
      await Promise.all(settling.filter((survivor) => survivor.rank > rank).map(({ settled }) => settled));
      const life = new LifeCycle(components);
      failures.push(...(await life.drain(this.#deadline)));
    }
    await Promise.all(settling.map(({ settled }) => settled));
    failures.push(...(await new LifeCycle(this.#dropped).shutdown(Math.max(this.#deadline, Date.now() + leastTime))));
    return failures;
  }

  async #settle({ part, log }: Component, dropped: ReadonlySet<object>): Promise<void> {
    try {
      const settled = untilDeadline(part.settle?.(dropped, this.#deadline), this.#deadline);
      const outcome = await Promise.race([settled, this.#hastened.promise]);
      if (outcome === "late") log.warn("did not end all work of what a reload dropped by the deadline");
    } catch (error) {
      log.error("could not end the work of what a reload dropped", { error });
    }
  }
}

/** What a shutdown has at least, in milliseconds. */
const leastTime = 5000;
