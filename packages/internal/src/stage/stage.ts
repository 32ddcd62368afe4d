// A stage: one running configuration, owner of all its components.

import { isOffering, type Capability } from "../component/capability.ts";
import { createAll } from "../component/component.ts";
import type { Component } from "../component/component.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { StageFixtures, Surroundings } from "./context.ts";
import { untilDeadline } from "./deadline.ts";
import { failureError } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { Fixtures } from "./fixtures.ts";
import type { FixtureDefinitions } from "./fixtures.ts";
import { LifeCycle } from "./life-cycle.ts";
import type { StageComponent } from "./tree.ts";

/**
 *     created ──start──> starting ──> running ──quit──> stopping ──> stopped
 *        │                  │ a failure, or quit            ^            ^
 *        │                  └───────────────────────────────┘            │
 *        └──quit─────────────────────────────────────────────────────────┘
 */
type State =
  | { readonly name: "created" }
  | { readonly name: "starting"; readonly settled: Promise<void> }
  | { readonly name: "running" }
  | { readonly name: "stopping"; readonly stopped: Promise<void> }
  | { readonly name: "stopped" };

export interface StageOptions {
  readonly resolved: ResolvedComponent;
  readonly fixtures: FixtureDefinitions;
  readonly log: ErrorLog;
  readonly surroundings: Surroundings;
  /** Called once the stage has stopped: closes what was opened for it alone. */
  readonly stopped?: () => Promise<void>;
}

/** Components by path. */
export type StageComponents = Readonly<Record<string, StageComponent>>;

/** What is so of any stage, whatever its components do. `Components` are the named ones of a tree whose types are known; of any other configuration, nothing is known. */
export class StageCore<Components extends StageComponents = StageComponents> implements AsyncDisposable {
  /** What was booted: for `difference`. */
  readonly resolved: ResolvedComponent;
  readonly fixtures: StageFixtures;
  readonly #roots: readonly Component[];
  readonly #byPath = new Map<string, Component>();
  readonly #life: LifeCycle;
  readonly #stopped: () => Promise<void>;
  /** Settles a start that waits for a component which never comes back. */
  readonly #abandoned = Promise.withResolvers<readonly Failure[]>();
  #state: State = { name: "created" };

  /** Creates all components, without I/O. Throws HEMI_STAGE_CREATE if one cannot be created. */
  constructor({ resolved, fixtures: definitions, log, surroundings, stopped }: StageOptions) {
    this.resolved = resolved;
    const fixtures = new Fixtures(definitions);
    this.fixtures = fixtures;
    const byResolved = new Map<ResolvedComponent, Component>();
    const created = (component: Component): void => {
      byResolved.set(component.resolved, component);
      if (!this.#byPath.has(component.path)) this.#byPath.set(component.path, component);
      fixtures.adopt(component);
    };
    this.#roots = createAll(resolved.children, undefined, {
      log,
      stageScope: { ...surroundings, stage: fixtures },
      created,
    });
    for (const { references } of byResolved.keys()) {
      for (const { slot, target } of references) {
        const component = byResolved.get(target);
        if (component !== undefined) slot.link(component);
      }
    }
    this.#life = new LifeCycle(this.#roots);
    this.#stopped = stopped ?? (() => Promise.resolve());
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /**
   * Prepares and starts everything. If a component fails, those whose `prepare` was called are shut down again, and the error
   * (HEMI_STAGE_PREPARE or HEMI_STAGE_START) names all failures. Rejects with HEMI_STAGE_STATE if called twice, or if `quit` is called meanwhile.
   */
  start(): Promise<void> {
    if (this.#state.name !== "created") {
      const message = `the stage is ${this.#state.name}: it can be started once`;
      return Promise.reject(new HemiError("HEMI_STAGE_STATE", message));
    }
    const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
    this.#state = { name: "starting", settled };
    return this.#start().finally(settle);
  }

  /**
   * Drains, then shuts everything down. What is not done after `patience` milliseconds (default: 30 s) is abandoned, with a line in the log;
   *
   * shutdown alone has 5 seconds at least. Twice is harmless. Rejects with HEMI_STAGE_SHUTDOWN, which names all failures, when
   * everything else is down.
   */
  quit(patience = 30_000): Promise<void> {
    const state = this.#state;
    if (state.name === "stopped") return Promise.resolve();
    if (state.name === "stopping") return state.stopped;
    const stopped = this.#quit(state, Date.now() + patience);
    this.#state = { name: "stopping", stopped };
    return stopped;
  }

  /**
   * Tells all components that the files which they write logs to have been moved: what they write from now on stands in new ones. A
   * component that cannot has a line in the error log. That log itself is reopened by whoever opened it.
   */
  reopenLogs(): Promise<void> {
    return this.#life.reopenLogs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
  }

  /** The component with this path, such as `webapp.shop/rule.assets/static`. Throws HEMI_USAGE if there is none. */
  component<Path extends keyof Components & string>(path: Path): Components[Path] {
    const component: StageComponent | undefined = this.#byPath.get(path);
    if (component === undefined) throw new HemiError("HEMI_USAGE", `the stage has no component ${path}`);
    // `Components` was worked out from the tree that the stage was booted from, and from the definitions that made the parts.
    return component as Components[Path];
  }

  /** The component with this path, or `undefined`. */
  find(path: string): StageComponent | undefined {
    return this.#byPath.get(path);
  }

  /** All components, owners before their children, in the order of the text. */
  *components(): Iterable<StageComponent> {
    const nested = function* (components: readonly Component[]): Iterable<StageComponent> {
      for (const component of components) {
        yield component;
        yield* nested(component.children);
      }
    };
    yield* nested(this.#roots);
  }

  /** The components that offer a capability, owners before their children, in the order of the text. */
  offering<Offered>(capability: Capability<Offered>): readonly (StageComponent & { readonly part: Offered })[] {
    const offering: (StageComponent & { readonly part: Offered })[] = [];
    for (const component of this.components()) if (isOffering(component, capability)) offering.push(component);
    return offering;
  }

  /**
   * Looks at what the configuration names outside of itself, such as certificates and modules, without any effect: nothing is bound, opened to be
   * written, or run. The stage need not be started. Rejects with HEMI_STAGE_PREPARE for all that would keep it from starting.
   */
  async examine(): Promise<void> {
    const failures = await this.#life.examine();
    if (failures.length > 0) throw failureError(failures);
  }

  async #start(): Promise<void> {
    const unprepared = await this.#orAbandoned(this.#life.prepare());
    const failures = unprepared.length > 0 ? unprepared : await this.#orAbandoned(this.#life.start());
    if (this.#life.isCancelled) {
      // Whoever has called `quit` shuts down.
      if (failures.length > 0) throw failureError(failures);
      throw new HemiError("HEMI_STAGE_STATE", "the stage was quit while it was starting");
    }
    if (failures.length === 0) {
      this.#state = { name: "running" };
      return;
    }
    const shutdown = this.#shutdown(Date.now() + shutdownPatience);
    this.#state = { name: "stopping", stopped: shutdown.then(() => undefined) };
    throw failureError([...failures, ...(await shutdown)]);
  }

  async #quit(from: State, deadline: number): Promise<void> {
    if (from.name === "starting") {
      this.#life.cancel();
      if ((await untilDeadline(from.settled, deadline)) === "late") this.#abandoned.resolve(this.#life.abandon());
    }
    const undrained = from.name === "running" ? await this.#life.drain(deadline) : [];
    const failures = await this.#shutdown(Math.max(deadline, Date.now() + shutdownPatience));
    if (undrained.length + failures.length > 0) throw failureError([...undrained, ...failures]);
  }

  async #shutdown(deadline: number): Promise<readonly Failure[]> {
    try {
      return await this.#life.shutdown(deadline);
    } finally {
      await this.#stopped();
      this.#state = { name: "stopped" };
    }
  }

  #orAbandoned(work: Promise<readonly Failure[]>): Promise<readonly Failure[]> {
    return Promise.race([work, this.#abandoned.promise]);
  }
}

/** How long a shutdown may take at least, in milliseconds, even if draining took all the time that there was. */
const shutdownPatience = 5000;
