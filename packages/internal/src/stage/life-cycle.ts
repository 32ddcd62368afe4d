// Runs the life cycle of components: up from the lowest rank, down from the highest.

import { isPromiseLike, opening } from "@hemi/common";
import type { Component } from "../component/component.ts";
import { unlessOver, untilDeadline } from "./deadline.ts";
import { failureOf, type Failure } from "./failure.ts";
import { raisingOrder, sinkingOrder } from "./order.ts";
import type { Visitor } from "./order.ts";

/** The life cycle of some components and all their descendants. */
export class LifeCycle {
  readonly #roots: readonly Component[];
  /** The components that are being prepared or started. */
  readonly #underway = new Set<Component>();
  /** The failures so far. */
  readonly #failures: Failure[] = [];
  #isCancelled = false;

  constructor(roots: readonly Component[]) {
    this.#roots = roots;
  }

  /** Examines all components, in the order of `prepare`. Continues after failures. */
  async examine(): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    await raisingOrder(this.#roots, {
      mayGoOn: () => true,
      visit: ({ resolved, part }) =>
        attempt(
          () => part.examine?.(),
          (error) => void failures.push(failureOf(resolved, "used", error)),
        ),
    });
    return failures;
  }

  /** Lowest rank first, siblings in parallel, children before their owner. Stops at the first failure. */
  prepare(): Promise<readonly Failure[]> {
    return this.#raise("prepared", (component) => {
      component.phase = "prepared";
      const { kind, part } = component;
      return kind.load === undefined ? part.prepare?.() : kind.load().then(() => part.prepare?.());
    });
  }

  /** In the same order. Stops at the first failure. */
  start(): Promise<readonly Failure[]> {
    return this.#raise("started", ({ part }) => part.start?.());
  }

  /** After this call, no further component is prepared or started. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /** Abandons components that are being prepared or started, with a log line for each. Returns the failures so far. */
  abandon(): readonly Failure[] {
    for (const { log } of this.#underway)
      log.error("was neither prepared nor started by the deadline, and is abandoned");
    return this.#failures;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /**
   * Highest rank first, owner before children. Goes on after failures, and without those that are not done when `over`
   * resolves: at the deadline, if the process runs until then.
   */
  drain(deadline: number, over: Promise<void>): Promise<readonly Failure[]> {
    return this.#sink(
      "drained",
      (running) => unlessOver(running, over),
      ({ part }) => part.drain?.(deadline),
    );
  }

  /**
   * In the same order, for exactly those components whose `prepare` was called, once for each. If a component hangs
   * until the deadline, the components after it still have one second each.
   */
  shutdown(deadline: number): Promise<readonly Failure[]> {
    return this.#sink(
      "shut down",
      (running) => untilDeadline(running, Math.max(deadline, Date.now() + 1000)),
      (component) => {
        if (component.phase !== "prepared") return undefined;
        component.phase = "shut down";
        return component.part.shutdown?.();
      },
    );
  }

  async #raise(
    done: Failure["done"],
    step: (component: Component) => void | Promise<void>,
  ): Promise<readonly Failure[]> {
    const walk: Visitor = {
      mayGoOn: () => this.#failures.length === 0 && !this.#isCancelled,
      visit: (component) => {
        const ended = (): void | Promise<void> => {
          this.#underway.delete(component);
          if (component.phase === "shut down") return this.#shutDownAgain(component);
        };
        this.#underway.add(component);
        const running = attempt(
          () => opening(component, () => step(component)),
          (error) => void this.#failures.push(failureOf(component.resolved, done, error)),
        );
        return isPromiseLike(running) ? running.then(ended) : ended();
      },
    };
    await raisingOrder(this.#roots, walk);
    return this.#failures;
  }

  /** It was given up while it was being prepared or started, and may have opened something since it was shut down. */
  async #shutDownAgain({ part, log }: Component): Promise<void> {
    try {
      await part.shutdown?.();
    } catch (error) {
      log.error("could not be shut down", { error });
    }
  }

  async #sink(
    done: Failure["done"],
    outcomeOf: (running: Promise<void>) => Promise<"done" | "late">,
    step: (component: Component) => void | Promise<void>,
  ): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    const walk: Visitor = {
      mayGoOn: () => true,
      visit: (component) => {
        const wait = async (running: Promise<void>): Promise<void> => {
          if ((await outcomeOf(running)) === "late")
            component.log.error(`was not ${done} by the deadline, and is abandoned`);
        };
        const failed = (error: unknown): void => {
          component.log.error(`could not be ${done}`, { error });
          failures.push({ path: component.path, done, error });
        };
        return attempt(() => {
          const running = step(component);
          if (isPromiseLike(running)) return wait(running);
        }, failed);
      },
    };
    await sinkingOrder(this.#roots, walk);
    return failures;
  }
}

/** Runs a step that may end at once, and hands over what it throws. */
function attempt(step: () => void | Promise<void>, failed: (error: unknown) => void): void | Promise<void> {
  try {
    const running = step();
    if (isPromiseLike(running)) return running.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
