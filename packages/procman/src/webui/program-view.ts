// What the leader shows the web UI of the program, and the actions that it lets the web UI call.

import { HemiError } from "@hemi/hemi/base";
import type { Handlers } from "../channel/channel.ts";
import { within } from "../channel/within.ts";
import { callAction, type ActionHandlers } from "../control/handlers.ts";
import { listedPlan } from "../control/listed-plan.ts";
import type { Leader } from "../leader/leader.ts";
import type { Activity } from "../observe/activity.ts";
import { ActivityHistory, historyInterval } from "../observe/history.ts";
import { Samples } from "../observe/samples.ts";
import type { Audit } from "./audit.ts";
import type { CandidateView, ConfigFile, LeaderViewCalls, Pulse, PulseParams } from "./calls.ts";
import type { LogTail } from "./log-tail.ts";

export interface ProgramViewOptions {
  readonly leader: Leader;
  readonly actions: ActionHandlers;
  readonly tail: LogTail;
  readonly audit: Audit;
}

/** Those that the pages have. The others, such as the end of the program, are for the command. */
const offered: ReadonlySet<string> = new Set(["reload", "rework", "reopen", "steerNode", "logLevel"]);

export class ProgramView implements Disposable {
  readonly #options: ProgramViewOptions;
  readonly #history = new ActivityHistory();
  readonly #pulses: Samples;
  readonly #points: Samples;
  readonly #timer: NodeJS.Timeout;

  constructor(options: ProgramViewOptions) {
    this.#options = options;
    const { counts } = options.leader;
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
    components: (params) => answered(this.#options.leader.callPrimary("components", params)),
    props: (params) => answered(this.#options.leader.callPrimary("props", params)),
    files: () => this.#files(),
    logs: async (params) => await this.#options.actions.logs(params),
    trace: async (params) => await this.#options.actions.trace(params),
    explain: (params) => answered(this.#options.leader.callPrimary("explain", params)),
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
    const { leader, actions, tail, audit } = this.#options;
    const [status, workers, activity, backends] = await Promise.all([
      actions.leader(undefined),
      leader.workers(),
      this.#pulses.next(),
      leader.orders.backends(undefined),
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
    const { running } = this.#options.leader;
    return running === undefined ? [] : filesOf(running.snapshot.texts);
  }

  async #candidate(text: string | undefined): Promise<CandidateView> {
    const { problems, warnings, texts, report } = await this.#options.leader.candidate(text);
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
