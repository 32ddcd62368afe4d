// A stage: one running configuration, owner of all its components.

import { setImmediate as turn } from "node:timers/promises";
import { afterRunning, finishInSlices, quietly } from "@hemi/common";
import { isOffering, type Capability } from "../component/capability.ts";
import { differenceSteps } from "../component/difference.ts";
import type { CreationScope } from "../component/component.ts";
import type { ConfigFiles } from "../config/files.ts";
import type { ConfigObject } from "../config/object.ts";
import type { ResolvedComponent } from "../component/resolve/resolved.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { compose } from "./composition.ts";
import type { StageFixtures, Surroundings } from "./context.ts";
import type { PreparedReload, Reloaded, ReloadOptions } from "./prepared-reload.ts";
import type { Readiness } from "./readiness.ts";
import { unlessOver, untilDeadline } from "./deadline.ts";
import { Departure } from "./departure.ts";
import { failureError } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { Fixtures } from "./fixtures.ts";
import type { FixtureDefinitions } from "./fixtures.ts";
import { Generation } from "./generation.ts";
import { tellLeftovers } from "./leftovers.ts";
import { LifeCycle } from "./life-cycle.ts";
import { Reload } from "./reload.ts";
import { reloadCost, type ReloadCost } from "./reload-cost.ts";
import { drainTimeoutOf } from "./settings.ts";
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

/**
 * The source of a configuration. Paths are relative to the working directory. `name` identifies a text in errors.
 * `files` is where the file and its includes are read; default: the disk.
 */
export type ConfigSource =
  | { readonly file: string; readonly files?: ConfigFiles }
  | { readonly text: string; readonly name?: string }
  | { readonly object: ConfigObject };

export interface StageOptions {
  readonly resolved: ResolvedComponent;
  readonly fixtures: FixtureDefinitions;
  readonly log: ErrorLog;
  readonly surroundings: Surroundings;
  /**
   * Reads and checks a configuration with the options of the stage; without a source, the same source again. Rejects
   * with a ConfigError.
   */
  readonly resolve: (source?: ConfigSource) => Promise<ResolvedComponent>;
  /** Called after the stage has stopped. Closes resources that were opened for this stage only. */
  readonly stopped?: () => Promise<void>;
}

/** Components by path. */
export type StageComponents = Readonly<Record<string, StageComponent>>;

/**
 * The stage without the features of particular components. `Components` are the named components of a tree with known
 * types; for any other configuration it has no entries.
 */
export class StageCore<Components extends StageComponents = StageComponents> implements AsyncDisposable {
  readonly fixtures: StageFixtures;
  /** Whether it is ready for requests, and why not. */
  readonly readiness: Readiness;
  readonly #scope: CreationScope;
  readonly #resolve: StageOptions["resolve"];
  readonly #life: LifeCycle;
  readonly #stopped: () => Promise<void>;
  /** Settles a start that waits for a component that never finishes. */
  readonly #abandoned = Promise.withResolvers<readonly Failure[]>();
  #generation: Generation;
  #state: State = { name: "created" };
  /** The last requested reload: reloads run one after the other. Never rejects. */
  #lastReload: Promise<void> = Promise.resolve();
  /** Gives up the one that is under way. */
  #abandonReload: ((error: Error) => void) | undefined;
  readonly #departures = new Set<Departure>();

  /** Creates all components, without I/O. Throws HEMI_STAGE_CREATE if one cannot be created. */
  constructor({ resolved, fixtures: definitions, log, surroundings, resolve, stopped }: StageOptions) {
    const fixtures = new Fixtures(definitions, surroundings);
    this.fixtures = fixtures;
    this.readiness = surroundings.readiness;
    this.#scope = {
      log,
      stageScope: { ...surroundings, stage: fixtures },
      created: (component) => fixtures.adopt(component),
    };
    this.#resolve = resolve;
    this.#generation = Generation.first(resolved, this.#scope);
    this.#life = new LifeCycle(this.#generation.roots);
    this.#stopped = stopped ?? (() => Promise.resolve());
  }

  /** The configuration of the running generation. */
  get resolved(): ResolvedComponent {
    return this.#generation.resolved;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /**
   * Prepares and starts everything. If a component fails, all components whose `prepare` was called are shut down, and
   * the error (HEMI_STAGE_PREPARE or HEMI_STAGE_START) names all failures. Rejects with HEMI_STAGE_STATE if called
   * twice, or if `quit` is called meanwhile.
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
   * Drains, then shuts everything down. Work that is not done after `patience` milliseconds (default: 30 s) is
   * abandoned, with a line in the log. Shutdown alone has at least 5 seconds. Calling it twice is harmless. If shutdown
   * fails, rejects with HEMI_STAGE_SHUTDOWN, which names all failures, after everything else is down.
   */
  quit(patience = 30_000): Promise<void> {
    const state = this.#state;
    if (state.name === "stopped") return Promise.resolve();
    if (state.name === "stopping") return state.stopped;
    this.readiness.drain();
    const stopped = this.#quit(state, Date.now() + patience);
    this.#state = { name: "stopping", stopped };
    return stopped;
  }

  /**
   * Follows a new configuration: its source, or that of the stage read once more. What did not change goes on running,
   * with its connections; the rest is created and prepared beside it, then takes its place in one turn of the event
   * loop, and what was dropped ends what it has begun (`departed`). On any failure the stage goes on as it was: rejects
   * with a ConfigError for a configuration that is wrong, with HEMI_STAGE_CREATE, _PREPARE or _START for a component
   * that fails, with HEMI_STAGE_RELOAD where a running stage cannot follow or the patience is over, and with
   * HEMI_STAGE_STATE where the stage does not run. While the stage starts, a reload waits for that; reloads that are
   * asked for meanwhile follow in order.
   */
  async reload(source?: ConfigSource, options: ReloadOptions = {}): Promise<Reloaded> {
    const prepared = await this.prepareReload(source, options);
    return await prepared.commit();
  }

  /**
   * The first half of a reload, for programs of several processes, in which all commit or none: reads, checks, creates
   * and prepares. Rejects as `reload` does.
   */
  prepareReload(source?: ConfigSource, { patience = 30_000 }: ReloadOptions = {}): Promise<PreparedReload> {
    const ended = Promise.withResolvers<void>();
    const prepared = this.#lastReload.then(() => this.#prepareReload(source, patience, ended.resolve));
    this.#lastReload = ended.promise;
    prepared.catch(ended.resolve);
    return prepared;
  }

  /** What a reload that drops or replaces these components would cost at this moment. Unknown paths are ignored. */
  costOf(paths: readonly string[]): ReloadCost {
    return reloadCost(this.#generation, paths);
  }

  /**
   * Tells all components that their log files have been moved, so that they reopen them. A component that fails to do
   * so gets a line in the error log. The owner of the error log reopens that one.
   */
  async reopenLogs(): Promise<void> {
    const writing = [...this.#generation.components()].filter(({ phase }) => phase === "prepared");
    await Promise.all(
      writing.map(async ({ part, log }) => {
        try {
          await part.reopenLogs?.();
        } catch (error) {
          log.error("could not open its logs anew", { error });
        }
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
  }

  /** The component with this path, such as `webapp.shop/rule.assets/static`. Throws HEMI_USAGE if there is none. */
  component<Path extends keyof Components & string>(path: Path): Components[Path] {
    const component: StageComponent | undefined = this.#generation.find(path);
    if (component === undefined) throw new HemiError("HEMI_USAGE", `the stage has no component ${path}`);
    // The type `Components` was computed from the tree of the stage and from the definitions that made the parts.
    return component as Components[Path];
  }

  /** The component with this path, or `undefined`. */
  find(path: string): StageComponent | undefined {
    return this.#generation.find(path);
  }

  /** All components, owners before their children, in the order of the text. */
  components(): Iterable<StageComponent> {
    return this.#generation.components();
  }

  /** The components that offer a capability, owners before their children, in the order of the text. */
  offering<Offered>(capability: Capability<Offered>): readonly (StageComponent & { readonly part: Offered })[] {
    const offering: (StageComponent & { readonly part: Offered })[] = [];
    for (const component of this.components()) if (isOffering(component, capability)) offering.push(component);
    return offering;
  }

  /**
   * Inspects external resources that the configuration names, such as certificates and modules, without side effects:
   * nothing is bound, opened for writing, or run. The stage need not be started. Rejects with HEMI_STAGE_PREPARE and
   * names everything that would prevent the start.
   */
  async examine(): Promise<void> {
    const failures = await new LifeCycle(this.#generation.roots).examine();
    if (failures.length > 0) throw failureError(failures);
  }

  async #start(): Promise<void> {
    const unprepared = await this.#orAbandoned(this.#life.prepare());
    const uncomposed = unprepared.length > 0 || this.#life.isCancelled ? unprepared : this.#compose();
    const failures = uncomposed.length > 0 ? uncomposed : await this.#orAbandoned(this.#life.start());
    if (this.#life.isCancelled) {
      // The caller of `quit` shuts down.
      if (failures.length > 0) throw failureError(failures);
      throw new HemiError("HEMI_STAGE_STATE", "the stage was quit while it was starting");
    }
    if (failures.length === 0) {
      this.#state = { name: "running" };
      this.readiness.started();
      return;
    }
    const shutdown = this.#shutdown(Date.now() + shutdownPatience);
    this.#state = { name: "stopping", stopped: shutdown.then(() => undefined) };
    throw failureError([...failures, ...(await shutdown)]);
  }

  async #quit(from: State, deadline: number): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const forget = afterRunning(deadline - Date.now(), resolve);
    try {
      if (from.name === "starting") {
        this.#life.cancel();
        if ((await unlessOver(from.settled, over)) === "late") this.#abandoned.resolve(this.#life.abandon());
      }
      this.#abandonReload?.(new HemiError("HEMI_STAGE_STATE", "the stage was quit while it was reloaded"));
      await unlessOver(this.#lastReload, over);
      for (const departure of this.#departures) departure.hasten(deadline);
      const { roots } = this.#generation;
      const undrained = from.name === "running" ? await new LifeCycle(roots).drain(deadline, over) : [];
      const departing = Promise.all([...this.#departures].map(({ done }) => done)).then(ignore);
      await untilDeadline(departing, Math.max(deadline, Date.now() + shutdownPatience));
      const failures = await this.#shutdown(Math.max(deadline, Date.now() + shutdownPatience));
      if (undrained.length + failures.length > 0) throw failureError([...undrained, ...failures]);
    } finally {
      forget();
    }
  }

  async #shutdown(deadline: number): Promise<readonly Failure[]> {
    try {
      const failures = await new LifeCycle(this.#generation.roots).shutdown(deadline);
      await tellLeftovers(this.#generation.components());
      return failures;
    } finally {
      await this.#stopped();
      this.#state = { name: "stopped" };
    }
  }

  /** Composes the whole first generation. */
  #compose(): readonly Failure[] {
    return compose(new Set(this.#generation.components()), this.#generation);
  }

  async #prepareReload(source: ConfigSource | undefined, patience: number, ended: () => void): Promise<PreparedReload> {
    if (this.#state.name === "starting") await this.#state.settled;
    this.#assertRunning();
    const abandoned = Promise.withResolvers<never>();
    void quietly(abandoned.promise);
    let reload: Reload | undefined;
    this.#abandonReload = (error) => {
      abandoned.reject(error);
      reload?.abandon(error);
    };
    const timer = this.#abandonAfter(patience);
    try {
      const wanted = await Promise.race([abandoned.promise, this.#resolve(source)]);
      // To read, to compare and to create may take a while each, for thousands of rules: what runs serves in between.
      await Promise.race([abandoned.promise, turn()]);
      const comparing = finishInSlices(differenceSteps(this.#generation.resolved, wanted));
      const changes = await Promise.race([abandoned.promise, comparing]);
      reload = new Reload({ current: this.#generation, wanted, changes, scope: this.#scope });
      await reload.prepare();
    } catch (error) {
      this.#abandonReload = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return this.#hold(reload, patience, ended);
  }

  /** Gives up the reload that is under way when the time is over. */
  #abandonAfter(patience: number): NodeJS.Timeout {
    const tooLate = new HemiError("HEMI_STAGE_RELOAD", `the new configuration was not prepared within ${patience} ms`);
    return setTimeout(() => this.#abandonReload?.(tooLate), patience);
  }

  /** What was prepared, until it is committed, discarded or abandoned. */
  #hold(reload: Reload, patience: number, ended: () => void): PreparedReload {
    let isOpen = true;
    const close = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      isOpen = false;
      try {
        return await work();
      } finally {
        this.#abandonReload = undefined;
        ended();
      }
    };
    const discard = (): Promise<void> => (isOpen ? close(() => reload.discard()) : Promise.resolve());
    this.#abandonReload = (error) => (isOpen ? void discard() : reload.abandon(error));
    const paths = reload.paths();
    return {
      ...paths,
      commit: async () => {
        if (!isOpen) throw new HemiError("HEMI_STAGE_STATE", "the prepared reload was committed or discarded before");
        return await close(async () => {
          const timer = this.#abandonAfter(patience);
          try {
            this.#generation = await reload.commit();
          } finally {
            clearTimeout(timer);
          }
          return { ...paths, departed: this.#letDepart(reload) };
        });
      },
      discard,
    };
  }

  async #letDepart({ dropped, survivors, users }: Reload): Promise<void> {
    if (dropped.length === 0) return;
    const deadline = Date.now() + drainTimeoutOf(this.#generation.resolved);
    const departure = new Departure({ dropped, survivors, users, earlier: [...this.#departures], deadline });
    this.#departures.add(departure);
    await departure.done;
    this.#departures.delete(departure);
  }

  #assertRunning(): void {
    if (this.#state.name === "running") return;
    throw new HemiError("HEMI_STAGE_STATE", `the stage is ${this.#state.name}: it can be reloaded when it is running`);
  }

  #orAbandoned(work: Promise<readonly Failure[]>): Promise<readonly Failure[]> {
    return Promise.race([work, this.#abandoned.promise]);
  }
}

function ignore(): void {}

/** The minimum time for a shutdown in milliseconds, even if draining used all the time. */
const shutdownPatience = 5000;
