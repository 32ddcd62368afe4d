// What a running program does for those who steer it: the actions of its control socket, with their parameters and
// results as JSON.

import type { CronjobHistory, CronjobStatus, CronjobTimes, Plan, ReloadCost, RunRecord, Walk } from "@hemi/hemi";
import type { CountReport, NodeOrder } from "@hemi/hemi/base";
import type { AdviceOrder, AdviceReport } from "../advise/advise.ts";
import type { BackendChoice, NodeChange, ProgramBackend } from "../backends/backend-actions.ts";
import type { CachedUrl, PurgeOrder, PurgeReport, WorkerCaches } from "../caches/cache-actions.ts";
import type { ExplainParams, StoryOrder } from "../channel/calls.ts";
import type { ChosenCronjobs, CronPreview, NamedCronjob } from "../cron/cron-actions.ts";
import type { WorkerStory } from "../observe/story-text.ts";
import type { LevelOrder, TimedLevel } from "../observe/level-order.ts";
import type { LogLines, LogOrder } from "../observe/log-order.ts";
import type { Measurement, MeasurementOrder } from "../observe/measurement.ts";
import type { Profile, ProfileOrder } from "../observe/profile-order.ts";
import type { WorkerState } from "../leader/worker-process.ts";

/** For each action: what is sent, and what comes back. docs/control.md describes them for other clients. */
export interface Actions {
  /** The process ids of the program. */
  readonly pids: {
    readonly params: undefined;
    readonly result: { readonly leader: number; readonly workers: readonly number[] };
  };
  readonly leader: { readonly params: undefined; readonly result: LeaderStatus };
  /** One for each worker process, in the order of the slots; those that finish their work are among them. */
  readonly workers: { readonly params: undefined; readonly result: readonly WorkerStatus[] };
  readonly version: { readonly params: undefined; readonly result: { readonly hemi: string; readonly node: string } };
  /** What a reload of the configuration file would do; nothing is changed. `config`: another file. */
  readonly plan: { readonly params: { readonly config?: string } | undefined; readonly result: PlanReport };
  /**
   * Follows the configuration file, in all workers or in none; answers when it is done. `rework`: by new workers, which
   * load the code anew.
   */
  readonly reload: { readonly params: { readonly rework: boolean } | undefined; readonly result: PlanReport };
  /** How the program would handle a request, with the state of its backends at this moment. Nothing is done. */
  readonly explain: { readonly params: ExplainParams; readonly result: Walk };
  /**
   * Replaces all workers by new ones, slot by slot, or that of one slot: new code, new environment. Answers when it is
   * done. `leader`: by those of a new leader, which leads the program from then on; its process id is in the result.
   */
  readonly rework: {
    readonly params: { readonly slot?: number; readonly leader?: boolean } | undefined;
    readonly result: { readonly workers: number; readonly leader: number | null };
  };
  /** The link that opens the web UI; `null` if there is none. */
  readonly webUI: { readonly params: undefined; readonly result: { readonly link: string } | null };
  /** Opens the log files anew. */
  readonly reopen: { readonly params: undefined; readonly result: null };
  /** What the components of all workers have counted, summed; slices without any number are left out. */
  readonly counts: { readonly params: undefined; readonly result: CountReport };
  /** Lets a worker write a profile to a file. */
  readonly profile: { readonly params: ProfileOrder; readonly result: Profile };
  /** Measures the event loop or the garbage collections of a worker for a while; answers at its end. */
  readonly measure: { readonly params: MeasurementOrder; readonly result: Measurement };
  /** Watches the program for a while; says what to change, and why. */
  readonly advise: { readonly params: AdviceOrder; readonly result: AdviceReport };
  /** The backends with their nodes, as all workers see them. */
  readonly backends: { readonly params: BackendChoice; readonly result: readonly ProgramBackend[] };
  /** Drains a node, or gives it another weight, until told otherwise. The result is its backend after that. */
  readonly steerNode: { readonly params: NodeChange; readonly result: ProgramBackend };
  /** Changes the minimum level of the error log for a while, in all workers. The result: what is in force. */
  readonly logLevel: { readonly params: LevelOrder; readonly result: readonly TimedLevel[] };
  /** What is known of a request that is under way, or is one of the last sampled ones of its worker. */
  readonly trace: { readonly params: StoryOrder; readonly result: WorkerStory };
  /**
   * Follows the traffic: the first call, with a filter, answers at once; each further one, with the id of the answer,
   * when there are lines, or after 10 s.
   */
  readonly logs: { readonly params: LogOrder; readonly result: LogLines };
  /** Purges the caches of all workers. */
  readonly cachePurge: { readonly params: PurgeOrder; readonly result: PurgeReport };
  /** What the caches of each worker know of a URL. */
  readonly cacheExplain: { readonly params: CachedUrl; readonly result: readonly WorkerCaches[] };
  /** The cronjobs, with their next times and last runs. */
  readonly cronList: { readonly params: undefined; readonly result: readonly CronjobStatus[] };
  /** When cronjobs will run. */
  readonly cronPreview: { readonly params: CronPreview; readonly result: readonly CronjobTimes[] };
  /** Runs a cronjob now; answers when it has ended. */
  readonly cronRun: { readonly params: NamedCronjob; readonly result: RunRecord };
  /** The last runs of cronjobs on this machine. */
  readonly cronHistory: { readonly params: ChosenCronjobs; readonly result: readonly CronjobHistory[] };
  /** Ends the program in order; answers when this has begun. */
  readonly quit: { readonly params: undefined; readonly result: null };
  /** Ends the program at once. */
  readonly stop: { readonly params: undefined; readonly result: null };
}

export interface LeaderStatus {
  /** The name of the program. */
  readonly title: string;
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  /** The configuration file. */
  readonly config: string;
  /** How many workers it keeps. */
  readonly slots: number;
  /** The addresses that the program listens on. */
  readonly listensOn: readonly string[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How many times the program has followed a new configuration. */
  readonly reloads: number;
  /** What operators have ordered for nodes of backends. */
  readonly nodeOrders: readonly NodeOrder[];
  /** Minimum levels of the error log that differ for a while. */
  readonly logLevels: readonly TimedLevel[];
  /** Resident memory in bytes. */
  readonly rss: number;
}

export interface WorkerStatus {
  readonly slot: number;
  readonly pid: number;
  readonly state: WorkerState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Resident memory in bytes; `null` if the worker does not answer. */
  readonly rss: number | null;
  /** CPU time since its start, in milliseconds; `null` if the worker does not answer. */
  readonly cpu: number | null;
  /** Connections of clients that are open; `null` if the worker does not answer. */
  readonly conns: number | null;
}

export interface PlanReport {
  readonly plan: Plan;
  /** How many changes are not in the list, because there are too many. */
  readonly unlisted: number;
  /** What it costs the running program at this moment, or did for a reload; `null` between two files. */
  readonly cost: ReloadCost | null;
  /** Modules that have changed since the workers loaded them, by path: a reload goes on with the old code. */
  readonly changedModules: readonly string[];
  /** Modules that the configuration names and the workers have not loaded yet, by path: a reload loads them. */
  readonly newModules: readonly string[];
  /** What operators have ordered for nodes of backends: a reload leaves it as it is. Empty between two files. */
  readonly nodeOrders: readonly NodeOrder[];
  /** What is allowed and most likely not meant, as text; "" if there is nothing. */
  readonly warnings: string;
}
