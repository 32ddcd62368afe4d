// The departure of components that a reload dropped: they finish running work and are shut down, while the next
// generation serves.

import { afterRunning } from "@hemi/common";
import type { Component } from "../component/component.ts";
import { unlessOver } from "./deadline.ts";
import type { Failure } from "./failure.ts";
import { withDescendants } from "./generation.ts";
import { tellLeftovers } from "./leftovers.ts";
import { LifeCycle } from "./life-cycle.ts";

export interface DepartureOptions {
  /** Each with all that stands in it. */
  readonly dropped: readonly Component[];
  /** All that live on, and may have work in which the dropped have a share. */
  readonly survivors: Iterable<Component>;
  /** Those of them that referred to one of the dropped, directly or not. */
  readonly users: Iterable<Component>;
  /** Those that are not over: what departs there may need what departs here until it is down. */
  readonly earlier?: Iterable<Departure>;
  /** In milliseconds since the epoch. */
  readonly deadline: number;
}

/** What is waited for, before anything of a lower rank is drained. */
interface Wait {
  readonly rank: number;
  readonly done: Promise<unknown>;
}

export class Departure {
  readonly #dropped: readonly Component[];
  #deadline: number;
  readonly #over = Promise.withResolvers<void>();
  #forgetDeadline: () => void;
  /** The highest of what departs. */
  readonly rank: number;
  /** Settles when all of them are shut down. Failures are also logged. */
  readonly done: Promise<readonly Failure[]>;

  constructor({ dropped, survivors, users, earlier = [], deadline }: DepartureOptions) {
    this.#dropped = dropped;
    this.#deadline = deadline;
    this.#forgetDeadline = this.#overAt(deadline);
    this.rank = Math.max(...dropped.map(({ kind }) => kind.rank));
    const droppedParts = partsOf(withDescendants(dropped));
    const userParts = partsOf(users);
    const waits: Wait[] = [...earlier].map(({ rank, done }) => ({ rank, done }));
    for (const survivor of survivors) {
      if (survivor.part.settle === undefined) continue;
      waits.push({ rank: survivor.kind.rank, done: this.#settle(survivor, droppedParts, userParts) });
    }
    this.done = this.#depart(waits);
  }

  /** Moves the deadline forward. */
  hasten(deadline: number): void {
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#forgetDeadline();
    this.#forgetDeadline = this.#overAt(deadline);
  }

  #overAt(deadline: number): () => void {
    return afterRunning(deadline - Date.now(), this.#over.resolve);
  }

  /**
   * Highest rank first: servers drain first. Lower ranks drain after the remaining components above them have released
   * them.
   */
  async #depart(waits: readonly Wait[]): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    const ranks = [...Map.groupBy(this.#dropped, ({ kind }) => kind.rank)].sort(([a], [b]) => b - a);
    for (const [rank, components] of ranks) {
      await Promise.all(waits.filter((wait) => wait.rank > rank).map(({ done }) => done));
      failures.push(...(await new LifeCycle(components).drain(this.#deadline, this.#over.promise)));
    }
    await Promise.all(waits.map(({ done }) => done));
    this.#forgetDeadline();
    failures.push(...(await new LifeCycle(this.#dropped).shutdown(Math.max(this.#deadline, Date.now() + leastTime))));
    await tellLeftovers(withDescendants(this.#dropped));
    return failures;
  }

  async #settle({ part, log }: Component, dropped: ReadonlySet<object>, users: ReadonlySet<object>): Promise<void> {
    try {
      const outcome = await unlessOver(part.settle?.(dropped, this.#deadline, users), this.#over.promise);
      if (outcome === "late") log.warn("did not end all work of what a reload dropped by the deadline");
    } catch (error) {
      log.error("could not end the work of what a reload dropped", { error });
    }
  }
}

function partsOf(components: Iterable<Component>): ReadonlySet<object> {
  return new Set([...components].map(({ part }) => part));
}

/** The minimum time for a shutdown, in milliseconds. */
const leastTime = 5000;
