// What the leader shows the web UI of the program, and the actions that it lets the web UI call.

import { HemiError, type CountReport } from "@hemi/hemi/base";
import type { Handlers } from "../channel/channel.ts";
import { within } from "../channel/within.ts";
import type { CandidateReport, RunningConfig, WorkerCalls } from "../channel/calls.ts";
import type { PlanReport, WorkerStatus } from "../control/actions.ts";
import { callAction, type ActionHandlers } from "../control/handlers.ts";
import { listedPlan } from "../control/listed-plan.ts";
import type { ProgramBackend } from "../backends/backend-actions.ts";
import type { Activity } from "../observe/activity.ts";
import { ActivityHistory, historyInterval } from "../observe/history.ts";
import { Samples } from "../observe/samples.ts";
import type { Audit } from "./audit.ts";
import type { CandidateView, ConfigFile, LeaderViewCalls, Pulse, PulseParams } from "./calls.ts";
import type { LogTail } from "./log-tail.ts";

export interface ShownCalls {
  /** Calls a process that serves. */
  primary<Name extends "components" | "explain" | "props">(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]>;
}

/** What is shown: a program of a leader and its workers, or of one process. */
export interface ShownProgram {
  readonly counts: { total(): Promise<CountReport> };
  readonly orders: { backends(name?: string): Promise<readonly ProgramBackend[]> };
  /** The configuration that runs; `undefined` before anything serves. */
  readonly running: RunningConfig | undefined;
  workers(): Promise<readonly WorkerStatus[]>;
  readonly calls: ShownCalls;
  /** Checks a text in place of the configuration file, or the file; mistakes are a result. */
  candidate(text: string | undefined): Promise<CandidateReport & { readonly report: PlanReport | undefined }>;
}

/** Those that the pages call. */
export type ShownActions = Pick<ActionHandlers, "leader" | "logs" | "trace" | OfferedAction>;

export interface ProgramViewOptions {
  readonly program: ShownProgram;
  readonly actions: ShownActions;
  readonly tail: LogTail;
  readonly audit: Audit;
}

/** Those that the pages have. The others, such as the end of the program, are for the command. */
const offeredActions = ["reload", "rework", "reopen", "steerNode", "logLevel"] as const;
type OfferedAction = (typeof offeredActions)[number];
const offered: ReadonlySet<string> = new Set(offeredActions);

export class ProgramView implements Disposable {
  readonly #options: ProgramViewOptions;
  readonly #history = new ActivityHistory();
  readonly #pulses: Samples;
  readonly #points: Samples;
  readonly #timer: NodeJS.Timeout;

  constructor(options: ProgramViewOptions) {
    this.#options = options;
    const { counts } = options.program;
    this.#pulses = new Samples(() => counts.total());
    this.#points = new Samples(() => counts.total());
    this.#timer = setInterval(() => void this.#addPoint(), historyInterval).unref();
    void this.#addPoint(false);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  readonly calls: Omit<Handlers<LeaderViewCalls>, "settings" | "conn"> = {
    pulse: (params) => this.#pulse(params),
    entries: ({ logAfter, auditAfter }) => ({
      log: this.#options.tail.after(logAfter),
      audit: this.#options.audit.after(auditAfter),
    }),
    history: ({ path }) => this.#history.of(path) ?? null,
    components: (params) => answered(this.#options.program.calls.primary("components", params)),
    props: (params) => answered(this.#options.program.calls.primary("props", params)),
    files: () => this.#files(),
    logs: async (params) => await this.#options.actions.logs(params),
    trace: async (params) => await this.#options.actions.trace(params),
    explain: (params) => answered(this.#options.program.calls.primary("explain", params)),
    candidate: ({ text }) => this.#candidate(text),
    act: async ({ name, params, by }) => {
      if (!offered.has(name)) throw new HemiError("HEMI_USAGE", `the web UI does not offer ${name}`);
      const { audit, actions } = this.#options;
      return await audit.watch(by, name, params, () => callAction(actions, name, params));
    },
  };

  /** The first report is the base of the first point. */
  async #addPoint(isKept = true): Promise<void> {
    const activity = await this.#points.next();
    if (isKept) this.#history.add(Date.now(), activity);
  }

  async #pulse({ logAfter, auditAfter }: PulseParams): Promise<Pulse> {
    const { program, actions, tail, audit } = this.#options;
    const [status, workers, activity, backends] = await Promise.all([
      actions.leader(undefined),
      program.workers(),
      this.#pulses.next(),
      program.orders.backends(),
    ]);
    return {
      time: Date.now(),
      generation: status.reloads,
      leader: status,
      workers,
      activity: busiest(activity),
      backends,
      log: tail.after(logAfter),
      audit: audit.after(auditAfter),
    };
  }

  #files(): readonly ConfigFile[] {
    const { running } = this.#options.program;
    return running === undefined ? [] : filesOf(running.snapshot.texts);
  }

  async #candidate(text: string | undefined): Promise<CandidateView> {
    const { problems, warnings, texts, report } = await this.#options.program.candidate(text);
    return { problems, warnings, files: filesOf(texts), plan: report === undefined ? undefined : listedPlan(report) };
  }
}

/** Rejects with HEMI_PROCESS if a worker stands still. */
function answered<Result>(answer: Promise<Result>): Promise<Result> {
  return within(answerTime, "the worker did not answer", answer);
}

/** In the order in which they were read: the main file includes the others. */
function filesOf(texts: Readonly<Record<string, string>>): readonly ConfigFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }));
}

/** A program may have 10,000 components, and this is sent once a second. */
function busiest({ components, ...others }: Activity): Activity {
  const busy = components.filter(({ rate, underWay }) => rate > 0 || underWay > 0);
  return { ...others, components: busy.toSorted((a, b) => b.rate - a.rate).slice(0, maxRows) };
}

const maxRows = 1000;
/** In ms. */
const answerTime = 5000;
