// What leader, workers and checkers ask of each other.

import type {
  AccessFilter,
  BackendReport,
  CountNews,
  HeldName,
  ListenAddress,
  LogEntry,
  NodeOrder,
  PathLevel,
  RequestStory,
  Strike,
  StrikeCount,
  TokenDemand,
  TokenGrant,
} from "@hemi/hemi/base";
import { HemiError } from "@hemi/hemi/base";
import type {
  CacherPurge,
  ConfigSnapshot,
  CronjobHistory,
  CronjobStatus,
  CronjobTimes,
  DescribedProp,
  ExplainedCache,
  ListedComponent,
  Plan,
  ReloadCost,
  RunRecord,
  Walk,
} from "@hemi/hemi";
import type { CachedUrl, PurgeOrder } from "../caches/cache-actions.ts";
import type { ChosenCronjobs, CronPreview, NamedCronjob } from "../cron/cron-actions.ts";
import type { ComponentLimits } from "../advise/facts.ts";
import type { Measurement, MeasurementOrder } from "../observe/measurement.ts";
import type { Profile, ProfileOrder } from "../observe/profile-order.ts";

/** Both sides must have the same one: a leader may be older than its workers after an upgrade. */
export const protocolVersion = 5;

/** Throws HEMI_PROCESS if the other side speaks another version. `theirs` may be anything. */
export function assertSameProtocol(theirs: unknown, side: "leader" | "workers"): void {
  if (theirs === protocolVersion) return;
  const other = typeof theirs === "number" ? `version ${theirs}` : "an unknown version";
  throw new HemiError(
    "HEMI_PROCESS",
    `the ${side} of the program ${side === "leader" ? "speaks" : "speak"} ${other} of the protocol between processes, and this is version ${protocolVersion}; start the program anew`,
  );
}

/** How a program is served: the options of `hemi serve` that workers and checkers need. */
export interface ServeOptions {
  /** The name of the program, in the list of processes. */
  readonly title: string;
  /** The configuration file. */
  readonly config: string;
  /** The base directory of relative paths in the configuration. */
  readonly base: string;
  readonly logsDir: string | undefined;
  readonly tmpsDir: string | undefined;
  readonly varsDir: string | undefined;
  /** Modules whose default exports are packs. */
  readonly use: readonly string[];
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly logFormat: "text" | "json";
  /** `undefined`: standard error. */
  readonly logFile: string | undefined;
  /** The time for running work at the end, in milliseconds. */
  readonly grace: number;
  /** How long the event loop of a worker may stand still, in milliseconds; 0: for ever. */
  readonly stall: number;
}

/** A configuration with the text that it was read from. A worker that is replaced boots this text again. */
export interface RunningConfig {
  readonly file: string;
  readonly snapshot: ConfigSnapshot;
}

/** What a worker is among the others. */
export interface Standing {
  readonly slot: number;
  readonly count: number;
  readonly isPrimary: boolean;
  /** The program ends soon, and still serves. */
  readonly isDraining: boolean;
}

/** What the operator of the program has ordered beyond the configuration, as a whole. */
export interface Orders {
  readonly nodes: readonly NodeOrder[];
  /** Who follows the traffic. */
  readonly followers: readonly Following[];
  /** Minimum levels of the error log for components. */
  readonly levels: readonly PathLevel[];
}

/** Which request to tell of. */
export interface StoryOrder {
  /** As in logs. */
  readonly requestId: string;
}

/** Somebody follows the traffic. */
export interface Following {
  readonly id: number;
  readonly filter: AccessFilter;
}

/** Access lines of a worker for one who follows. */
export interface FollowedLines {
  readonly follower: number;
  /** One JSON object each. */
  readonly lines: readonly string[];
  /** How many there were besides, too many to be kept. */
  readonly dropped: number;
}

/** Served by a worker. */
export interface WorkerCalls {
  /** Boots and starts. Without a configuration, the files are read. Returns the configuration that it runs. */
  readonly boot: {
    readonly params: {
      readonly version: number;
      readonly options: ServeOptions;
      readonly config: RunningConfig | undefined;
      readonly standing: Standing;
    };
    readonly result: { readonly version: number; readonly config: RunningConfig };
  };
  /** Prepares a reload; a second one waits until the first is committed or discarded. */
  readonly prepare: {
    readonly params: { readonly config: RunningConfig; readonly patience: number };
    readonly result: undefined;
  };
  readonly commit: { readonly params: undefined; readonly result: undefined };
  readonly discard: { readonly params: undefined; readonly result: undefined };
  /** Finishes its work and ends. Answers when it accepts no connections any more. */
  readonly quit: { readonly params: { readonly grace: number }; readonly result: undefined };
  /** Ends at once. */
  readonly stop: { readonly params: undefined; readonly result: undefined };
  /** Reopens the log files. */
  readonly reopen: { readonly params: undefined; readonly result: undefined };
  /** What it would cost at this moment to drop the components of these paths. */
  readonly cost: { readonly params: { readonly paths: readonly string[] }; readonly result: ReloadCost };
  /** How a request would be handled. */
  readonly explain: { readonly params: ExplainParams; readonly result: Walk };
  /** Its components from a number on, as many as fit into a message. */
  readonly components: { readonly params: { readonly from: number }; readonly result: ComponentPage };
  /** The props of a component, without secrets; `null`: there is none with this path. */
  readonly props: { readonly params: { readonly path: string }; readonly result: readonly DescribedProp[] | null };
  /** The modules of the user that it has loaded. */
  readonly modules: { readonly params: undefined; readonly result: readonly LoadedModule[] };
  readonly usage: { readonly params: undefined; readonly result: WorkerUsage };
  /** Lines of the leader's error log, for addons of this worker that send the error log elsewhere. */
  readonly leaderLogged: { readonly params: readonly LogEntry[]; readonly result: undefined };
  /** Tells by `counted` what has changed of the numbers that its components count, before it answers. */
  readonly count: { readonly params: undefined; readonly result: undefined };
  /** What has changed of the sum of all workers, since this worker was told last. */
  readonly summed: { readonly params: CountNews; readonly result: undefined };
  /** Writes a profile of the process to a file. */
  readonly profile: { readonly params: ProfileOrder; readonly result: Profile };
  /** Measures its event loop or its garbage collections for a while. */
  readonly measure: { readonly params: MeasurementOrder; readonly result: Measurement };
  /** Limits of its servers and backends, as configured. */
  readonly limits: { readonly params: undefined; readonly result: readonly ComponentLimits[] };
  /** Its backends with their nodes. */
  readonly backends: { readonly params: undefined; readonly result: readonly BackendReport[] };
  /** Whether it has a component of this path, and if not, the paths most like it. */
  readonly findPath: {
    readonly params: { readonly path: string };
    readonly result: { readonly isKnown: boolean; readonly nearest: readonly string[] };
  };
  /** What it knows of a request; `null`: nothing. */
  readonly story: { readonly params: StoryOrder; readonly result: RequestStory | null };
  /** Follows these orders in place of those before. May come before `boot`. */
  readonly orders: { readonly params: Orders; readonly result: undefined };
  /** The standing of the worker has changed. */
  readonly standing: { readonly params: Standing; readonly result: undefined };
  /** A secret that all workers share has been replaced. */
  readonly secret: { readonly params: { readonly name: string; readonly secret: string }; readonly result: undefined };
  /** Purges the caches of this worker. */
  readonly cachePurge: { readonly params: PurgeOrder; readonly result: readonly CacherPurge[] };
  /** What the caches of this worker know of a URL. */
  readonly cacheExplain: { readonly params: CachedUrl; readonly result: readonly ExplainedCache[] };
  /** Its cronjobs; those of the primary worker run. */
  readonly cronList: { readonly params: undefined; readonly result: readonly CronjobStatus[] };
  readonly cronPreview: { readonly params: CronPreview; readonly result: readonly CronjobTimes[] };
  readonly cronRun: { readonly params: NamedCronjob; readonly result: RunRecord };
  readonly cronHistory: { readonly params: ChosenCronjobs; readonly result: readonly CronjobHistory[] };
  /** A message of another worker. */
  readonly deliver: { readonly params: Broadcast; readonly result: undefined };
}

export interface ComponentPage {
  /** Of all components. */
  readonly total: number;
  readonly components: readonly ListedComponent[];
}

/** A request that is explained. */
export interface ExplainParams {
  /** Default: GET. */
  readonly method?: string;
  readonly url: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The address of the client. Default: 127.0.0.1. */
  readonly from?: string;
  /** The server that gets it. Default: the URL says. */
  readonly server?: string;
}

export interface LoadedModule {
  readonly path: string;
  /** Of the file when it was loaded, in milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** What a worker uses at this moment. */
export interface WorkerUsage {
  /** Resident memory in bytes. */
  readonly rss: number;
  /** CPU time since its start, in milliseconds. */
  readonly cpu: number;
  /** Connections of clients that are open. */
  readonly conns: number;
}

export interface Broadcast {
  readonly topic: string;
  readonly message: unknown;
}

/** Which listening socket a worker asks for. */
export interface SocketWish {
  readonly address: ListenAddress;
  /** The path of the component that listens. */
  readonly owner: string;
  /** 0 for the first one of the worker's slot. */
  readonly index: number;
}

/** What comes along with a listening socket. */
export interface SocketPlace {
  /** Of the address, to release it. */
  readonly key: string;
  /** With the assigned port; a path for a UNIX socket. */
  readonly address: string;
  /** 0 for a UNIX socket. */
  readonly port: number;
  /** How many the slot has for the address. */
  readonly sockets: number;
}

/** Served by the leader, for each worker. */
export interface LeaderCalls {
  /** A listening socket of the worker's slot comes along with the answer. */
  readonly socket: { readonly params: SocketWish; readonly result: SocketPlace };
  /** The worker does not listen on it any more. */
  readonly release: { readonly params: { readonly key: string }; readonly result: undefined };
  /** Random bytes that all workers have in common, in base64. */
  readonly secret: { readonly params: { readonly name: string }; readonly result: string };
  /** Replaces them; all workers hear of it. */
  readonly renewSecret: { readonly params: { readonly name: string }; readonly result: undefined };
  readonly broadcast: { readonly params: Broadcast; readonly result: undefined };
  /** What has changed of the numbers that the components of the worker count. */
  readonly counted: { readonly params: CountNews; readonly result: undefined };
  /** Lines of the worker's error log. */
  readonly logged: { readonly params: readonly LogEntry[]; readonly result: undefined };
  /** Lines for one who follows the traffic. The worker sends the next ones after the answer. */
  readonly accessLines: { readonly params: FollowedLines; readonly result: undefined };
  /** Tells the sum of all workers by `summed`, before it answers. */
  readonly sumCounts: { readonly params: undefined; readonly result: undefined };
  /** Takes tokens from the buckets that all workers share: an answer for each demand. */
  readonly takeTokens: { readonly params: readonly KeyedDemand[]; readonly result: readonly TokenGrant[] };
  /** Counts strikes against keys that all workers share. */
  readonly strike: { readonly params: readonly KeyedStrike[]; readonly result: readonly StrikeCount[] };
  /** The fencing token of a lock; `null` if somebody has it. */
  readonly acquireLock: { readonly params: WantedLock; readonly result: number | null };
  /** False: the worker has lost it. */
  readonly renewLock: { readonly params: HeldName & { readonly ttl: number }; readonly result: boolean };
  readonly releaseLock: { readonly params: HeldName; readonly result: undefined };
}

export interface WantedLock {
  readonly name: string;
  /** In milliseconds. */
  readonly ttl: number;
}

export interface KeyedDemand {
  readonly key: string;
  readonly demand: TokenDemand;
}

export interface KeyedStrike {
  readonly key: string;
  readonly strike: Strike;
}

/** Served by a checker. */
export interface CheckerCalls {
  /** Reads a configuration and checks it with the files that it names; compares it with another one. */
  readonly check: {
    readonly params: { readonly options: ServeOptions; readonly running: RunningConfig | undefined };
    readonly result: CheckedConfig;
  };
  /** The same with each mistake on its own, which is a result as well. `text` stands for the main file. */
  readonly candidate: {
    readonly params: {
      readonly options: ServeOptions;
      readonly running: RunningConfig | undefined;
      readonly text: string | undefined;
    };
    readonly result: CandidateReport;
  };
  /** Whether a module that it has loaded has changed on disk since. */
  readonly isOutdated: { readonly params: undefined; readonly result: boolean };
}

export interface CheckedConfig {
  readonly config: RunningConfig;
  /** Against the running configuration. */
  readonly plan: Plan | undefined;
  /** The files of the modules that the configuration names. */
  readonly modules: readonly string[];
  /** What is allowed and most likely not meant, as text; "" if there is nothing. */
  readonly warnings: string;
}

/** What is wrong with a candidate, or how it differs from the running configuration. */
export interface CandidateReport {
  /** The first 200. Empty: it can be used. */
  readonly problems: readonly CandidateProblem[];
  /** What is allowed and most likely not meant. */
  readonly warnings: readonly CandidateProblem[];
  /** `undefined`: it cannot be used. */
  readonly plan: Plan | undefined;
  /** The files that were read, by absolute path. */
  readonly texts: Readonly<Record<string, string>>;
}

export interface CandidateProblem {
  readonly message: string;
  readonly hint: string | undefined;
  /** `undefined`: it is nowhere in a text. Line and column count from 1. */
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

/** A process that serves nothing to the other side. */
export type NoCalls = Readonly<Record<never, never>>;
