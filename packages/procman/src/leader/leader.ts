// The leader of a program: it owns the listening sockets, keeps a worker in each slot, and leads all of them from one
// configuration to the next. It loads none of the user's code.

import { setTimeout as sleep } from "node:timers/promises";
import { quietly, Turns } from "@hemi/common";
import { HemiError, type CountNews, type ErrorLog, type LogEntry } from "@hemi/hemi/base";
import type { Broadcast, CandidateReport, RunningConfig, ServeOptions } from "../channel/calls.ts";
import type { Handover, LastState } from "../channel/handover.ts";
import type { LeaderStatus, PlanReport, WorkerStatus } from "../control/actions.ts";
import { followInAll, renewAll } from "./all-or-none.ts";
import type { ChildOptions } from "./child-process.ts";
import { Checker } from "./checker.ts";
import { HandedOver, HandingOver, type HandoverSteps } from "./handing-over.ts";
import { MemoryLimit } from "./memory-limit.ts";
import { OtherLeaders, type OtherLeader } from "./other-leaders.ts";
import { planReport } from "./plan-report.ts";
import { startAheadOnIdleCPUs } from "./processes-ahead.ts";
import type { Predecessor } from "./predecessor.ts";
import { ProgramCounts } from "./program-counts.ts";
import { ProgramLimits } from "./program-limits.ts";
import { ProgramLocks } from "./program-locks.ts";
import { ProgramOrders } from "./program-orders.ts";
import { ReadyCalls, readyIn } from "./ready-calls.ts";
import { Secrets } from "./secrets.ts";
import { Slot, type SlotOptions } from "./slot.ts";
import { Sockets } from "./sockets.ts";
import { Standings } from "./standings.ts";
import { staleModules } from "./stale-modules.ts";
import type { Successor } from "./successor.ts";
import { askStatus, hasLeft } from "./worker-answers.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface LeaderOptions {
  readonly serve: ServeOptions;
  /** How many workers to keep, at least one. */
  readonly workers: number;
  /** How workers and checkers are started. */
  readonly children?: ChildOptions;
  /** In bytes of resident memory: a worker above it is replaced. Default: there is no limit. */
  readonly maxMemory?: number | undefined;
  /**
   * How long a check and the preparation of a reload may take, in milliseconds; a worker of a running program may take
   * twice as long to start.
   */
  readonly patience: number;
  /** Default: none is open yet. */
  readonly sockets?: Sockets;
  /** Whose program this one takes over, and its state. Default: the program is new. */
  readonly takenOver?: { readonly predecessor: Predecessor; readonly handover: Handover };
  readonly log: ErrorLog;
  /** Is given lines of the error logs of workers. Default: nobody is. */
  readonly logged?: (slot: number, entries: readonly LogEntry[]) => void;
}

export class Leader {
  readonly #options: LeaderOptions;
  readonly #log: ErrorLog;
  /** What all workers have counted. */
  readonly counts = new ProgramCounts(() => [...this.#processes(), ...this.#otherLeaders.all]);
  /** What the operator has ordered. */
  readonly orders: ProgramOrders;
  /** The rate limits that all workers share. */
  readonly limits: ProgramLimits;
  /** The locks that all workers share. */
  readonly locks: ProgramLocks;
  /** Asks the workers that are ready. */
  readonly calls: ReadyCalls;
  readonly #sockets: Sockets;
  readonly #checker: Checker;
  readonly #slots: readonly Slot[];
  /** What changes the workers happens one after the other. */
  readonly #turns = new Turns(1);
  readonly #memoryLimit: MemoryLimit | undefined;
  readonly #startedAt: number;
  readonly #standings: Standings;
  readonly #secrets: Secrets;
  readonly #otherLeaders = new OtherLeaders();
  readonly #handingOver: HandingOver;
  #running: RunningConfig | undefined;
  #reloads: number;
  #isEnding = false;
  #mayTakeTime: boolean;

  constructor(options: LeaderOptions) {
    const { workers, children = {}, log, patience, takenOver } = options;
    this.#options = options;
    this.#log = log;
    this.limits = new ProgramLimits(takenOver?.predecessor);
    this.locks = new ProgramLocks(takenOver?.predecessor);
    const nodes = takenOver?.handover.nodeOrders;
    this.orders = new ProgramOrders({ processes: () => this.#processes(), nodes, log });
    this.#sockets = options.sockets ?? new Sockets(workers);
    this.#mayTakeTime = takenOver === undefined;
    this.#standings = new Standings(workers, takenOver === undefined);
    this.#startedAt = takenOver?.handover.startedAt ?? Date.now();
    this.#reloads = takenOver?.handover.reloads ?? 0;
    this.#running = takenOver?.handover.running;
    this.#secrets = new Secrets(takenOver?.handover.secrets);
    if (takenOver !== undefined) this.#otherLeaders.await(takenOver.predecessor, this.counts);
    this.#checker = new Checker(children);
    const start = (slot: number): WorkerProcess => {
      const worker = this.orders.toldTo(
        new WorkerProcess({
          slot,
          sockets: this.#sockets,
          children,
          broadcast: (message, from) => this.broadcast(message, from),
          secret: (name) => this.#secrets.get(name),
          renewSecret: (name) => this.takeSecret(name, this.#secrets.renew(name)),
          counts: this.counts,
          logged: (from, entries) => options.logged?.(from.slot, entries),
          accessLines: (lines) => this.orders.followers.take(lines),
          limits: this.limits,
          locks: this.locks,
          stuck: ({ slot, pid }) => log.error(`worker ${slot} takes no messages, and is killed`, { pid }),
        }),
      );
      void worker.ended.then(() => this.#turns.run(() => this.#closeUnheld()));
      return worker;
    };
    this.#slots = Array.from({ length: workers }, (_, number) => {
      const boot: SlotOptions["boot"] = (worker, config = this.#running) =>
        worker.boot(
          options.serve,
          config,
          this.#standings.of(number, config === undefined),
          // A program may take its time to start. Later, others wait for their turn meanwhile.
          this.#mayTakeTime ? undefined : 2 * patience,
        );
      return new Slot({
        number,
        start,
        boot,
        inTurn: (step) => this.#turns.run(() => step().then(() => this.#closeUnheld())),
        changed: () => void this.#standings.appoint(this.#ready()),
        log,
      });
    });
    this.calls = new ReadyCalls(this.#slots);
    this.#handingOver = new HandingOver({
      counts: this.counts,
      orders: this.orders,
      sockets: this.#sockets,
      secrets: this.#secrets,
      locks: this.locks,
      limits: this.limits,
      otherLeaders: this.#otherLeaders,
      state: () => this.#handedState(),
      setLeading: (isLeading) => this.#setLeading(isLeading),
      workers: () => this.workers(),
      broadcast: (message, from) => this.broadcast(message, from),
    });
    const { maxMemory } = options;
    if (maxMemory === undefined) return;
    const replace = (slot: Slot, worker: WorkerProcess): Promise<void> =>
      this.#turns.run(async () => {
        if (!this.#isEnding && slot.ready === worker) await slot.renew(options.serve.grace);
      });
    this.#memoryLimit = new MemoryLimit({ max: maxMemory, slots: this.#slots, replace, log });
  }

  /**
   * Starts all workers. The first one reads the configuration, and the others boot what it has read. Rejects with the
   * error of the first worker that cannot serve; nothing is left running then. After `quit`, it rejects too, and the
   * workers that serve by then finish their work.
   */
  async start(): Promise<void> {
    try {
      await this.#turns.run(() => this.#startAll());
      this.#mayTakeTime = false;
      this.#memoryLimit?.start();
    } catch (error) {
      if (!this.#isEnding) await this.stop();
      throw error;
    }
  }

  /**
   * A worker that has ended may have been the last one with an address: one that a reload has dropped, or would have
   * added. Nobody would take its connections. Without a worker that is ready, all may be for the next one.
   */
  async #closeUnheld(): Promise<void> {
    if (this.#ready().length === 0) return;
    const failed = (error: unknown): void => this.#log.error("an address could not be closed", { error });
    await this.#sockets.closeUnheld().catch(failed);
  }

  async #startAll(): Promise<void> {
    const [first, ...others] = this.#slots;
    startAheadOnIdleCPUs(this.#slots);
    this.#running = await first?.renew(0);
    await Promise.all(others.map((slot) => slot.renew(0)));
    const { unused } = this.#sockets;
    if (unused.length > 0 && this.isLeading)
      this.#log.warn("no server listens on these sockets, which systemd has passed on", { sockets: unused.join(", ") });
  }

  get status(): Omit<LeaderStatus, "version" | "node" | "listensOn"> {
    const { nodes } = this.orders.current;
    return {
      title: this.#options.serve.title,
      pid: process.pid,
      config: this.#options.serve.config,
      slots: this.#slots.length,
      startedAt: this.#startedAt,
      reloads: this.#reloads,
      nodeOrders: nodes,
      logLevels: this.orders.levels,
      rss: process.memoryUsage.rss(),
    };
  }

  listensOn(): Promise<readonly string[]> {
    return this.#sockets.addresses();
  }

  pids(): readonly number[] {
    return this.#processes().flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** With those of a leader before this one that finish their work. */
  async workers(): Promise<readonly WorkerStatus[]> {
    const former = this.#options.takenOver?.predecessor.workers() ?? [];
    const own = await Promise.all(this.#processes().map(askStatus));
    return [...own, ...(await former)];
  }

  /** Checks a file, by default the configuration file, and compares it with what runs. */
  async plan(config = this.#options.serve.config): Promise<PlanReport> {
    const options = { ...this.#options.serve, config };
    const checked = await this.#checker.check(options, this.#running, this.#options.patience);
    return await this.#report(checked);
  }

  #report(checked: Parameters<typeof planReport>[0]): Promise<PlanReport> {
    return planReport(checked, this.#ready(), this.orders.current.nodes);
  }

  /** Checks a text in place of the configuration file, or the file; mistakes are a result. */
  async candidate(text: string | undefined): Promise<CandidateReport & { readonly report: PlanReport | undefined }> {
    const { serve, patience } = this.#options;
    const checked = await this.#checker.candidate({ options: serve, running: this.#running, text }, patience);
    const { plan } = checked;
    if (plan === undefined) return { ...checked, report: undefined };
    return { ...checked, report: await this.#report({ plan, modules: [], warnings: "" }) };
  }

  /** The configuration that runs; `undefined` before the first worker is ready. */
  get running(): RunningConfig | undefined {
    return this.#running;
  }

  /**
   * Follows the configuration file, in all workers or in none. Rejects with what is wrong; the program then goes on as
   * before. `rework`: new workers follow it, which load the modules anew.
   */
  reload(rework: boolean): Promise<PlanReport> {
    return this.#turns.run(async () => {
      this.#assertServing();
      const { serve, patience } = this.#options;
      const checked = await this.#checker.check(serve, this.#running, patience);
      const change = { from: this.#running, to: checked.config, log: this.#log };
      // Workers answer its questions before they prepare the change, and nobody waits for that.
      const reporting = quietly(this.#report(checked));
      await (rework ? renewAll(this.#slots, change, serve.grace) : followInAll(this.#ready(), change, patience));
      this.#running = checked.config;
      this.#reloads++;
      const report = await reporting;
      return rework ? { ...report, changedModules: await staleModules(this.#ready()) } : report;
    });
  }

  /**
   * Replaces all workers, slot by slot, or that of one slot. The first one that does not get ready ends this; the
   * others go on. Rejects with HEMI_USAGE if there is no such slot.
   */
  rework(number?: number): Promise<{ readonly workers: number }> {
    return this.#turns.run(async () => {
      this.#assertServing();
      const slots = number === undefined ? this.#slots : this.#slots.slice(number, number + 1);
      if (slots.length === 0)
        throw new HemiError("HEMI_USAGE", `there is no slot ${number ?? ""}: there are ${this.#slots.length}, from 0`);
      for (const slot of slots) await slot.renew(this.#options.serve.grace);
      return { workers: slots.length };
    });
  }

  /** Opens the log files of all workers anew. */
  async reopen(): Promise<void> {
    await Promise.allSettled(this.#ready().map((worker) => worker.call("reopen", undefined)));
  }

  /**
   * Ends all workers in order, within the grace of the program. Before that, they serve for `drainDelay` milliseconds
   * and know that they drain: their health check fails, so that a load balancer sends no new clients.
   */
  async quit(drainDelay: number): Promise<void> {
    if (drainDelay > 0) {
      this.#standings.drain(this.#ready());
      await sleep(drainDelay);
    }
    await this.#end((slot) => slot.quit(this.#options.serve.grace));
  }

  /** Ends all workers at once. */
  async stop(): Promise<void> {
    await this.#end((slot) => slot.stop());
  }

  async #end(end: (slot: Slot) => Promise<void>): Promise<void> {
    this.#isEnding = true;
    this.#memoryLimit?.stop();
    this.#checker.close();
    this.orders.close();
    await Promise.all([...this.#slots.map(end), this.#handingOver.endCandidate()]);
    await this.#sockets.close();
  }

  /** From now on, this one leads the program that it takes over. */
  async lead(orders: LastState): Promise<void> {
    await this.orders.take(orders);
    await this.#setLeading(true);
    await this.#sockets.closeUnheld();
  }

  async #setLeading(isLeading: boolean): Promise<void> {
    this.#standings.isLeading = this.#sockets.isOwner = isLeading;
    await this.#standings.appoint(this.#ready());
  }

  get isLeading(): boolean {
    return this.#standings.isLeading;
  }

  /** Who leads in the place of this one. */
  get successor(): Successor | undefined {
    return this.#handingOver.successor;
  }

  /** Resolves when it is known who leads: at once, except while another leader takes over. Orders wait for it. */
  decided(): Promise<void> {
    return this.#handingOver.decided();
  }

  /** Hands the program over to another leader. Rejects if that one does not take over: this one goes on. */
  handOver(steps: HandoverSteps): Promise<Successor> {
    return this.#turns.run(() => this.#handingOver.run(steps));
  }

  #handedState(): Pick<Handover, "workers" | "startedAt" | "reloads" | "running"> {
    const running = this.#running;
    if (running === undefined) throw new HemiError("HEMI_PROCESS", "the program is not ready yet");
    this.#assertServing();
    return { workers: this.#slots.length, startedAt: this.#startedAt, reloads: this.#reloads, running };
  }

  /** Resolves after `retire` when no worker accepts connections any more. */
  async left(): Promise<void> {
    await Promise.all(this.#processes().map(hasLeft));
  }

  /**
   * After the program was handed over: the workers finish their work, and those of a leader before this one. Resolves
   * with what they have counted.
   */
  async retire(successor: Successor): Promise<readonly CountNews[]> {
    this.orders.followers.passOn((lines) => successor.passLines(lines));
    await this.#end((slot) => slot.quit(this.#options.serve.grace));
    // A leader before this one reaches the new one by way of this one.
    await this.#options.takenOver?.predecessor.gone;
    return await this.counts.newsWithout(successor);
  }

  /** A message of a worker, or of those of another leader, for all others. */
  broadcast(message: Broadcast, from: WorkerProcess | OtherLeader): void {
    for (const worker of this.#processes()) if (worker !== from) worker.tell("deliver", message);
    this.#otherLeaders.deliver(message, from);
  }

  /** A secret has been replaced. */
  takeSecret(name: string, secret: string): void {
    this.#secrets.set(name, secret);
    for (const worker of this.#processes()) worker.tell("secret", { name, secret });
    this.#otherLeaders.tellSecret(name, secret);
  }

  #ready(): readonly WorkerProcess[] {
    return readyIn(this.#slots);
  }

  #processes(): readonly WorkerProcess[] {
    return this.#slots.flatMap(({ processes }) => processes);
  }

  #assertServing(): void {
    if (this.successor !== undefined) throw new HandedOver();
    if (this.#isEnding) throw new HemiError("HEMI_PROCESS", "the program is ending");
  }
}
