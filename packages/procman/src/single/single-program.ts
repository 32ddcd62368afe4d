// The program of `hemi serve --single`, as its web UI shows and steers it: what a leader is for its workers, this is
// for the one process. Its checker is a process of its own here, too: a candidate is not loaded into what serves.

import {
  HemiError,
  Metrics,
  SnapshotRecorder,
  watchProcess,
  type BootOptions,
  type CountReport,
  type OwnedErrorLog,
  type Plan,
  type Reloaded,
  type Stage,
} from "@hemi/hemi";
import { entryOf } from "@hemi/hemi/base";
import type { CandidateReport, RunningConfig } from "../channel/calls.ts";
import type { CommandLine } from "../command-line.ts";
import type { LeaderStatus, PlanReport, WorkerStatus } from "../control/actions.ts";
import { listedPlan } from "../control/listed-plan.ts";
import { Checker } from "../leader/checker.ts";
import { ProgramOrders } from "../leader/program-orders.ts";
import { askStatus, endingPaths } from "../leader/worker-answers.ts";
import { unknownRequest } from "../observe/story-text.ts";
import { ownVersion } from "../own-version.ts";
import { serveOptionsOf } from "../serve-options.ts";
import { writeToPeople } from "../terminal.ts";
import { Audit } from "../webui/audit.ts";
import { LogTail } from "../webui/log-tail.ts";
import { openWebUI } from "../webui/open-web-ui.ts";
import { ProgramView, type ShownActions, type ShownCalls, type ShownProgram } from "../webui/program-view.ts";
import type { WebUI } from "../webui/web-ui.ts";
import { WorkerOrders } from "../worker/worker-orders.ts";
import { LocalWorker } from "./local-worker.ts";

export class SingleProgram implements ShownProgram {
  readonly orders: ProgramOrders;
  readonly counts = { total: (): Promise<CountReport> => Promise.resolve(this.#metrics.report()) };
  readonly #line: CommandLine;
  readonly #log: OwnedErrorLog;
  readonly #metrics = new Metrics();
  readonly #workerOrders: WorkerOrders;
  readonly #checker = new Checker({});
  readonly #tail = new LogTail();
  readonly #startedAt = Date.now();
  readonly #endings: (() => void)[];
  #recorder = new SnapshotRecorder();
  #serving: { readonly stage: Stage; readonly worker: LocalWorker } | undefined;
  #reloads = 0;
  #webUI: WebUI | undefined;
  readonly calls: ShownCalls = {
    primary: async (name, params) => {
      const [worker] = this.#workers;
      if (worker === undefined) throw notReady();
      return await worker.call(name, params);
    },
  };

  constructor(line: CommandLine, log: OwnedErrorLog) {
    this.#line = line;
    this.#log = log;
    this.orders = new ProgramOrders({ processes: () => this.#workers, log });
    this.#workerOrders = new WorkerOrders((lines) => Promise.resolve(this.orders.followers.take(lines)));
    this.#workerOrders.govern(log);
    const unfollow = log.follow((record) => this.#tail.add("process", [entryOf(record)]));
    this.#endings = [unfollow, watchProcess(this.#metrics, 0)];
  }

  /** The stage is booted with these. */
  get bootOptions(): BootOptions {
    return { metrics: this.#metrics, operator: this.#workerOrders.operator, files: this.#recorder };
  }

  /** The stage serves: opens the web UI, and writes the link that opens it to standard error. */
  async show(stage: Stage): Promise<void> {
    this.#serving = { stage, worker: new LocalWorker(stage, this.#workerOrders, this.#metrics) };
    const { webUI: address, title, logFormat, logFile } = this.#line;
    this.#webUI = await openWebUI(address, () => {
      const view = new ProgramView({
        program: this,
        actions: this.#actions,
        tail: this.#tail,
        audit: new Audit(this.#log),
      });
      return { title, view, children: {}, logFormat, logFile, log: this.#log };
    });
    if (this.#webUI === undefined) return;
    this.#log.info(`shows itself on ${this.#webUI.origin}`);
    // Not by the log, which others may read. There is no control socket that `hemi webui` could ask.
    writeToPeople(`\n  Web UI: ${this.#webUI.link}\n\n`);
  }

  /** Follows the configuration file. Rejects with what is wrong; the program then goes on as before. */
  async reload(): Promise<Reloaded> {
    const recorder = new SnapshotRecorder();
    const reloaded = await this.#stage.reload({ file: this.#line.config, files: recorder });
    this.#recorder = recorder;
    this.#reloads++;
    return reloaded;
  }

  close(): void {
    this.#webUI?.close();
    this.#checker.close();
    this.orders.close();
    for (const end of this.#endings) end();
  }

  get running(): RunningConfig | undefined {
    return this.#serving && { file: this.#line.config, snapshot: this.#recorder.snapshot };
  }

  async workers(): Promise<readonly WorkerStatus[]> {
    return await Promise.all(this.#workers.map(askStatus));
  }

  async candidate(text: string | undefined): Promise<CandidateReport & { readonly report: PlanReport | undefined }> {
    const { running } = this;
    const options = serveOptionsOf(this.#line);
    const checked = await this.#checker.candidate({ options, running, text }, this.#line.patience);
    return { ...checked, report: checked.plan && this.#report(checked.plan, "") };
  }

  get #workers(): readonly LocalWorker[] {
    return this.#serving === undefined ? [] : [this.#serving.worker];
  }

  get #stage(): Stage {
    if (this.#serving === undefined) throw notReady();
    return this.#serving.stage;
  }

  readonly #actions: ShownActions = {
    leader: () => this.#status(),
    logs: (order) => this.orders.logs(order),
    steerNode: (change) => this.orders.steerNode(change),
    logLevel: (order) => this.orders.setLevel(order),
    trace: ({ requestId }) => {
      const story = this.#workerOrders.operator.requests.find(requestId);
      if (story === undefined) throw unknownRequest(requestId);
      return { slot: 0, ...story };
    },
    reload: async () => {
      const { patience } = this.#line;
      const { plan, warnings } = await this.#checker.check(serveOptionsOf(this.#line), this.running, patience);
      const report = this.#report(plan ?? { kept: 0, changes: [] }, warnings);
      await this.reload();
      return listedPlan(report);
    },
    rework: () => {
      throw new HemiError("HEMI_USAGE", "there is one process, without a leader that could replace it");
    },
    reopen: async () => {
      this.#log.reopen();
      await this.#stage.reopenLogs();
      return null;
    },
  };

  #report(plan: Plan, warnings: string): PlanReport {
    const nodeOrders = this.orders.current.nodes;
    const cost = this.#stage.costOf(endingPaths(plan));
    return { plan, warnings, unlisted: 0, cost, changedModules: [], newModules: [], nodeOrders };
  }

  #status(): LeaderStatus {
    const listensOn = [...this.#stage.components()].flatMap(({ part }) => addressesOf(part));
    return {
      title: this.#line.title,
      pid: process.pid,
      version: ownVersion(),
      node: process.versions.node,
      config: this.#line.config,
      slots: 1,
      listensOn,
      startedAt: this.#startedAt,
      reloads: this.#reloads,
      nodeOrders: this.orders.current.nodes,
      logLevels: this.orders.levels,
      rss: process.memoryUsage.rss(),
    };
  }
}

/** Where a server or router listens. */
function addressesOf(part: object): readonly string[] {
  const listensOn = "listensOn" in part && Array.isArray(part.listensOn) ? part.listensOn : [];
  return listensOn.filter((address) => typeof address === "string");
}

function notReady(): HemiError {
  return new HemiError("HEMI_PROCESS", "the program is not ready yet");
}
