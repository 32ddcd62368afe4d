// A worker that serves: its stage, its log, and the calls of the leader.

import {
  bootFile,
  cronjobHistories,
  explainCaches,
  filesOfSnapshot,
  HemiError,
  listCronjobs,
  Listeners,
  openErrorLog,
  previewCronjobs,
  problemPlace,
  purgeCaches,
  runCronjob,
  SnapshotRecorder,
  type CacherPurge,
  type CronjobHistory,
  type CronjobStatus,
  type CronjobTimes,
  type ExplainedCache,
  type DescribedProp,
  type OwnedErrorLog,
  type PreparedReload,
  type ReloadCost,
  type RunRecord,
  type Stage,
  type Walk,
} from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { LeaderCalls, LoadedModule, RunningConfig, WorkerCalls, WorkerUsage } from "../channel/calls.ts";
import type { CachedUrl, PurgeOrder } from "../caches/cache-actions.ts";
import type { ComponentLimits } from "../advise/facts.ts";
import type { CronPreview } from "../cron/cron-actions.ts";
import { loadPacks } from "../load-packs.ts";
import { bootOptionsOf } from "../boot-options.ts";
import { collectWhenIdle, growYoungGeneration } from "../memory/this-process.ts";
import { LoopWatch } from "../watch/watch-loop.ts";
import type { Measurement, MeasurementOrder } from "../observe/measurement.ts";
import type { Profile, ProfileOrder } from "../observe/profile-order.ts";
import { Counting, usageOf } from "./counting.ts";
import { Measuring } from "./measuring.ts";
import { Profiler } from "./profiler.ts";
import { FellowWorkers } from "./fellow-workers.ts";
import { LogReports } from "./log-reports.ts";
import { LoadedModules } from "./loaded-modules.ts";
import { LeaderSockets } from "./leader-sockets.ts";
import { StageView } from "./stage-view.ts";
import type { WorkerOrders } from "./worker-orders.ts";

/** What the leader may ask before and after the boot. */
export class Serving {
  readonly log: OwnedErrorLog;
  readonly #stage: Stage;
  readonly #view: StageView;
  readonly #watch: LoopWatch;
  readonly #profiler = new Profiler();
  readonly #measuring = new Measuring();
  readonly #stopCollecting = collectWhenIdle();
  readonly #stopGrowing = growYoungGeneration();
  readonly #modules: LoadedModules;
  readonly #counting: Counting;
  readonly #reports: LogReports;
  readonly #listeners: Listeners;
  #prepared: PreparedReload | undefined;

  private constructor(
    stage: Stage,
    log: OwnedErrorLog,
    watch: LoopWatch,
    counting: Counting,
    modules: LoadedModules,
    reports: LogReports,
    listeners: Listeners,
  ) {
    this.#listeners = listeners;
    this.#reports = reports;
    this.#counting = counting;
    this.#stage = stage;
    this.#view = new StageView(stage);
    this.log = log;
    this.#watch = watch;
    this.#modules = modules;
  }

  /**
   * Boots and starts a stage. Rejects with the error that prevents it; nothing is left open then. `fellowsMade`: gets
   * what the components will use, before there are any.
   */
  static async boot(
    { options, config, standing }: WorkerCalls["boot"]["params"],
    leader: Channel<LeaderCalls, WorkerCalls>,
    orders: WorkerOrders,
    fellowsMade: (fellows: FellowWorkers) => void,
  ): Promise<{ readonly serving: Serving; readonly config: RunningConfig }> {
    process.title = `${options.title} worker ${standing.slot}`;
    const modules = new LoadedModules();
    const { logLevel: level, logFormat: format, logFile: file } = options;
    const watch = new LoopWatch({ limit: options.stall, grace: options.grace, format });
    const use = await loadPacks(options.use);
    const reports = new LogReports(leader);
    const log = openErrorLog({ level, format, follow: reports.follow, ...(file === undefined ? {} : { file }) });
    orders.govern(log);
    const fellows = new FellowWorkers(leader, standing, log);
    fellowsMade(fellows);
    const counting = new Counting(leader, standing.slot);
    const listeners = new Listeners(new LeaderSockets(leader));
    const recorder = new SnapshotRecorder();
    watch.start();
    try {
      const stage = await bootFile(config?.file ?? options.config, {
        ...bootOptionsOf(options),
        use,
        log,
        files: config === undefined ? recorder : filesOfSnapshot(config.snapshot),
        listeners,
        workers: fellows,
        metrics: counting.metrics,
        operator: orders.operator,
        warned: (doubts) => {
          // The leader has them from the checker at a reload, and from the first worker at the start.
          if (config !== undefined) return;
          for (const doubt of doubts) log.warn(doubt.message, { at: problemPlace(doubt), hint: doubt.hint });
        },
      });
      await stage.start();
      return {
        serving: new Serving(stage, log, watch, counting, modules, reports, listeners),
        config: config ?? { file: options.config, snapshot: recorder.snapshot },
      };
    } catch (error) {
      watch.end();
      await counting.end();
      await log.close();
      throw error;
    }
  }

  async prepare({ config, patience }: WorkerCalls["prepare"]["params"]): Promise<undefined> {
    await this.discard();
    const source = { file: config.file, files: filesOfSnapshot(config.snapshot) };
    this.#prepared = await this.#stage.prepareReload(source, { patience });
  }

  async commit(): Promise<undefined> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) throw new HemiError("HEMI_STAGE_STATE", "no reload is prepared");
    await prepared.commit();
  }

  async discard(): Promise<undefined> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.discard();
  }

  async reopen(): Promise<undefined> {
    this.log.reopen();
    await this.#stage.reopenLogs();
  }

  async cachePurge({ selectors, isSoft, isDryRun }: PurgeOrder): Promise<readonly CacherPurge[]> {
    const purges: CacherPurge[] = [];
    for (const selector of selectors) {
      purges.push(...(await purgeCaches(this.#stage, selector, { isSoft, isDryRun, isHere: true })));
    }
    return purges;
  }

  cacheExplain({ url, headers }: CachedUrl): Promise<readonly ExplainedCache[]> {
    return explainCaches(this.#stage, url, headers);
  }

  cronList(): Promise<readonly CronjobStatus[]> {
    return listCronjobs(this.#stage, Date.now());
  }

  cronPreview(order: CronPreview): Promise<readonly CronjobTimes[]> {
    return previewCronjobs(this.#stage, order);
  }

  cronRun(name: string): Promise<RunRecord> {
    return runCronjob(this.#stage, name);
  }

  cronHistory(name: string | undefined): Promise<readonly CronjobHistory[]> {
    return cronjobHistories(this.#stage, name);
  }

  cost({ paths }: WorkerCalls["cost"]["params"]): ReloadCost {
    return this.#stage.costOf(paths);
  }

  explain(params: WorkerCalls["explain"]["params"]): Promise<Walk> {
    return this.#view.explain(params);
  }

  components(params: WorkerCalls["components"]["params"]): WorkerCalls["components"]["result"] {
    return this.#view.components(params);
  }

  props(params: WorkerCalls["props"]["params"]): readonly DescribedProp[] | null {
    return this.#view.props(params);
  }

  findPath(params: WorkerCalls["findPath"]["params"]): WorkerCalls["findPath"]["result"] {
    return this.#view.findPath(params);
  }

  get modules(): readonly LoadedModule[] {
    return this.#modules.all;
  }

  count(): void {
    this.#counting.tell();
  }

  /** A snapshot of a large heap takes long, and is no reason to replace the worker. */
  async profile(order: ProfileOrder): Promise<Profile> {
    if (order.kind !== "heap") return await this.#profiler.make(order);
    this.#watch.pause();
    try {
      return await this.#profiler.make(order);
    } finally {
      this.#watch.start();
    }
  }

  measure(order: MeasurementOrder): Promise<Measurement> {
    return this.#measuring.measure(order);
  }

  /** Of components directly under the stage. */
  limits(): readonly ComponentLimits[] {
    return this.#stage.resolved.children.map(({ path, props }) => {
      const limits: Record<string, number> = {};
      for (const name of advisedProps) {
        const value = props[name];
        if (typeof value === "number") limits[name] = value;
      }
      return { path, limits };
    });
  }

  usage(): WorkerUsage {
    return usageOf(this.#counting.metrics);
  }

  /** Accepts no connections any more: those that come are for the next worker of the slot. */
  stopListening(): Promise<void> {
    return this.#listeners.stop();
  }

  /** Finishes what runs within `grace` milliseconds, and closes the log. */
  async quit(grace: number): Promise<void> {
    try {
      // A server that others refer to drains after them.
      await this.stopListening();
      await this.#stage.quit(grace);
    } finally {
      this.#watch.end();
      this.#stopCollecting();
      this.#stopGrowing();
      this.#reports.flush();
      await this.#counting.end();
      await this.log.close();
    }
  }
}

/** The props that advice looks at. */
const advisedProps = ["maxConns", "aliveTimeout"] as const;
