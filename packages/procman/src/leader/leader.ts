// The leader of a program: it owns the listening sockets, keeps a worker in each slot, and leads all of them from one
// configuration to the next. It loads none of the user's code.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Turns } from "@hemi/common";
import { HemiError, LockTable, MemoryRateLimits, type ErrorLog, type LogEntry } from "@hemi/hemi/base";
import type { Plan, ReloadCost } from "@hemi/hemi";
import type { Broadcast, CandidateReport, RunningConfig, ServeOptions, WorkerCalls } from "../channel/calls.ts";
import type { LeaderStatus, PlanReport, WorkerStatus } from "../control/actions.ts";
import type { ChildOptions } from "./child-process.ts";
import { Checker } from "./checker.ts";
import { MemoryLimit } from "./memory-limit.ts";
import { ProgramCounts } from "./program-counts.ts";
import { ProgramOrders } from "./program-orders.ts";
import { Slot, type SlotOptions } from "./slot.ts";
import { Sockets } from "./sockets.ts";
import { staleModules } from "./stale-modules.ts";
import { sumOfCosts } from "./sum-of-costs.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface LeaderOptions {
  readonly serve: ServeOptions;
  /** How many workers to keep, at least one. */
  readonly workers: number;
  /** How workers and checkers are started. */
  readonly children?: ChildOptions;
  /** In bytes of resident memory: a worker above it is replaced. Default: there is no limit. */
  readonly maxMemory?: number | undefined;
  /** Sockets that a parent process has bound, by address. */
  readonly inherited?: ConstructorParameters<typeof Sockets>[1];
  readonly log: ErrorLog;
  /** Is given lines of the error logs of workers. Default: nobody is. */
  readonly logged?: (slot: number, entries: readonly LogEntry[]) => void;
}

/** What was told to a worker of its standing, so that it is told changes only. */
type Told = WeakMap<WorkerProcess, boolean>;

export class Leader {
  readonly #options: LeaderOptions;
  readonly #log: ErrorLog;
  /** What all workers have counted. */
  readonly counts = new ProgramCounts(() => this.#processes());
  /** What the operator has ordered. */
  readonly orders: ProgramOrders;
  readonly #sockets: Sockets;
  readonly #checker: Checker;
  readonly #slots: readonly Slot[];
  /** What changes the workers happens one after the other. */
  readonly #turns = new Turns(1);
  readonly #memoryLimit: MemoryLimit | undefined;
  readonly #startedAt = Date.now();
  readonly #told: Told = new WeakMap();
  /** Random bytes that all workers have in common, in base64. */
  readonly #secrets = new Map<string, string>();
  #running: RunningConfig | undefined;
  #reloads = 0;
  #isEnding = false;
  #isDraining = false;

  constructor(options: LeaderOptions) {
    const { workers, children = {}, log, inherited } = options;
    const [limits, locks] = [new MemoryRateLimits(), new LockTable()];
    this.#options = options;
    this.#log = log;
    this.orders = new ProgramOrders({ processes: () => this.#processes(), log });
    this.#sockets = new Sockets(workers, inherited);
    this.#checker = new Checker(children);
    const start = (slot: number): WorkerProcess =>
      this.orders.toldTo(
        new WorkerProcess({
          slot,
          sockets: this.#sockets,
          children,
          broadcast: (message, from) => this.#broadcast(message, from),
          secret: (name) => this.#secret(name),
          renewSecret: (name) => this.#renewSecret(name),
          counts: this.counts,
          logged: (from, entries) => options.logged?.(from.slot, entries),
          accessLines: (lines) => this.orders.followers.take(lines),
          limits,
          locks,
        }),
      );
    this.#slots = Array.from({ length: workers }, (_, number) => {
      const boot: SlotOptions["boot"] = (worker, config = this.#running) =>
        // The first worker of a program is the primary one at once; later ones are told.
        worker.boot(options.serve, config, {
          slot: number,
          count: workers,
          isPrimary: config === undefined,
          isDraining: this.#isDraining,
        });
      return new Slot({
        number,
        start,
        boot,
        inTurn: (step) => this.#turns.run(step),
        changed: () => this.#appoint(),
        log,
      });
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
   * error of the first worker that cannot serve; nothing is left running then.
   */
  async start(): Promise<void> {
    try {
      await this.#turns.run(() => this.#startAll());
      this.#memoryLimit?.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #startAll(): Promise<void> {
    const [first, ...others] = this.#slots;
    for (const slot of this.#slots) slot.startAhead();
    this.#running = await first?.renew(0);
    await Promise.all(others.map((slot) => slot.renew(0)));
    const { unused } = this.#sockets;
    if (unused.length > 0)
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

  async workers(): Promise<readonly WorkerStatus[]> {
    return await Promise.all(
      this.#processes().map(async (worker) => {
        const { slot, pid = 0, state, startedAt } = worker;
        const usage = await Promise.race([worker.call("usage", undefined), timeout(usageTime)]).catch(() => undefined);
        return {
          slot,
          pid,
          state,
          startedAt,
          rss: usage?.rss ?? null,
          cpu: usage?.cpu ?? null,
          conns: usage?.conns ?? null,
        };
      }),
    );
  }

  /** Calls all ready workers. Rejects with the first failure. */
  async callAll<Name extends keyof WorkerCalls>(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<readonly { readonly slot: number; readonly result: WorkerCalls[Name]["result"] }[]> {
    return await Promise.all(
      this.#ready().map(async (worker) => ({ slot: worker.slot, result: await worker.call(name, params) })),
    );
  }

  /** Calls the ready worker of a slot. Rejects with HEMI_USAGE if there is none. */
  async callSlot<Name extends keyof WorkerCalls>(
    slot: number,
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]> {
    const worker = this.#slots[slot]?.ready;
    if (worker === undefined) {
      const slots = this.#ready().map((ready) => ready.slot);
      throw new HemiError("HEMI_USAGE", `no worker ${slot} is ready; there are: ${slots.join(", ")}`);
    }
    return await worker.call(name, params);
  }

  /** Checks a file, by default the configuration file, and compares it with what runs. */
  async plan(config = this.#options.serve.config): Promise<PlanReport> {
    const options = { ...this.#options.serve, config };
    const { plan = nothing, warnings } = await this.#checker.check(options, this.#running, patience);
    const [cost, changedModules] = await Promise.all([this.#costOf(plan), this.#staleModules()]);
    const { nodes: nodeOrders } = this.orders.current;
    return { plan, warnings, unlisted: 0, cost, changedModules, nodeOrders };
  }

  /** Checks a text in place of the configuration file, or the file; mistakes are a result. */
  async candidate(text: string | undefined): Promise<CandidateReport & { readonly report: PlanReport | undefined }> {
    const { serve } = this.#options;
    const checked = await this.#checker.candidate({ options: serve, running: this.#running, text }, patience);
    const { plan } = checked;
    if (plan === undefined) return { ...checked, report: undefined };
    const [cost, changedModules] = await Promise.all([this.#costOf(plan), this.#staleModules()]);
    const { nodes: nodeOrders } = this.orders.current;
    return { ...checked, report: { plan, warnings: "", unlisted: 0, cost, changedModules, nodeOrders } };
  }

  /** The configuration that runs; `undefined` before the first worker is ready. */
  get running(): RunningConfig | undefined {
    return this.#running;
  }

  /** Calls the worker that does what is done once for the program. Rejects with HEMI_PROCESS if none is ready. */
  async callPrimary<Name extends keyof WorkerCalls>(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]> {
    const [worker] = this.#ready();
    if (worker === undefined) throw new HemiError("HEMI_PROCESS", "no worker is ready");
    return await worker.call(name, params);
  }

  /**
   * Follows the configuration file, in all workers or in none. Rejects with what is wrong; the program then goes on as
   * before. `rework`: new workers follow it, which load the modules anew.
   */
  reload(rework: boolean): Promise<PlanReport> {
    return this.#turns.run(async () => {
      this.#assertServing();
      const {
        config,
        plan = nothing,
        warnings,
      } = await this.#checker.check(this.#options.serve, this.#running, patience);
      const cost = await this.#costOf(plan);
      await (rework ? this.#renewAll(config) : this.#follow(config));
      this.#running = config;
      this.#reloads++;
      const { nodes: nodeOrders } = this.orders.current;
      return { plan, warnings, unlisted: 0, cost, changedModules: await this.#staleModules(), nodeOrders };
    });
  }

  /** At this moment, in all workers that answer soon. */
  async #costOf({ changes }: Plan): Promise<ReloadCost> {
    const paths = changes.filter(({ fate }) => fate === "replaced" || fate === "dropped").map(({ path }) => path);
    const asked = this.#ready().map((worker) => Promise.race([worker.call("cost", { paths }), timeout(usageTime)]));
    const costs = await Promise.allSettled(asked);
    return sumOfCosts(costs.flatMap((cost) => (cost.status === "fulfilled" ? (cost.value ?? []) : [])));
  }

  /**
   * Replaces all workers, slot by slot, or that of one slot. The first one that does not get ready ends this; the others
   * go on. Rejects with HEMI_USAGE if there is no such slot.
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

  /** All slots get new workers with this configuration, or go back to the one that runs. */
  async #renewAll(config: RunningConfig): Promise<void> {
    const { grace } = this.#options.serve;
    const renewed: Slot[] = [];
    try {
      for (const slot of this.#slots) {
        await slot.renew(grace, config);
        renewed.push(slot);
      }
    } catch (error) {
      for (const slot of renewed)
        await slot.renew(grace).catch((failure: unknown) => this.#cannotGoBack(slot, failure));
      throw error;
    }
  }

  #cannotGoBack(slot: Slot, error: unknown): void {
    this.#log.error("a worker cannot go back to the running configuration, and is replaced", { error });
    slot.ready?.kill();
  }

  async #staleModules(): Promise<readonly string[]> {
    const lists = await Promise.allSettled(this.#ready().map((worker) => worker.call("modules", undefined)));
    return await staleModules(lists.flatMap((list) => (list.status === "fulfilled" ? list.value : [])));
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
    this.#isDraining = true;
    if (drainDelay > 0) {
      for (const worker of this.#ready()) this.#tellStanding(worker);
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
    await Promise.all(this.#slots.map(end));
    await this.#sockets.close();
  }

  /** Two steps, so that it is all or none: everybody prepares, then everybody commits. */
  async #follow(config: RunningConfig): Promise<void> {
    const workers = this.#ready();
    const prepared = await Promise.allSettled(workers.map((worker) => worker.call("prepare", { config, patience })));
    const refused = prepared.find((outcome) => outcome.status === "rejected");
    if (refused !== undefined) {
      await Promise.allSettled(workers.map((worker) => worker.call("discard", undefined)));
      throw refused.reason;
    }
    const committed = await Promise.allSettled(workers.map((worker) => worker.call("commit", undefined)));
    // A worker that has died meanwhile is replaced, and its successor follows the new configuration.
    const failed = committed.find((outcome, i) => outcome.status === "rejected" && workers[i]?.state === "ready");
    if (failed?.status !== "rejected") return;
    await this.#goBack(workers.filter((_, i) => committed[i]?.status === "fulfilled"));
    throw failed.reason;
  }

  async #goBack(workers: readonly WorkerProcess[]): Promise<void> {
    const config = this.#running;
    if (config === undefined) return;
    await Promise.all(
      workers.map(async (worker) => {
        try {
          await worker.call("prepare", { config, patience });
          await worker.call("commit", undefined);
        } catch (error) {
          this.#log.error(`worker ${worker.slot} cannot go back to the running configuration, and is replaced`, {
            error,
          });
          worker.kill();
        }
      }),
    );
  }

  /** The ready worker of the lowest slot does what is done once for the program. */
  #appoint(): void {
    const ready = this.#ready();
    for (const worker of ready) {
      const isPrimary = worker === ready[0];
      if (this.#told.get(worker) === isPrimary) continue;
      this.#told.set(worker, isPrimary);
      this.#tellStanding(worker);
    }
  }

  #tellStanding(worker: WorkerProcess): void {
    worker.tell("standing", {
      slot: worker.slot,
      count: this.#slots.length,
      isPrimary: this.#told.get(worker) ?? false,
      isDraining: this.#isDraining,
    });
  }

  #broadcast(message: Broadcast, from: WorkerProcess): void {
    for (const worker of this.#processes()) if (worker !== from) worker.tell("deliver", message);
  }

  #secret(name: string): string {
    const secret = this.#secrets.get(name) ?? randomBytes(secretSize).toString("base64");
    this.#secrets.set(name, secret);
    return secret;
  }

  #renewSecret(name: string): void {
    this.#secrets.delete(name);
    const secret = this.#secret(name);
    for (const worker of this.#processes()) worker.tell("secret", { name, secret });
  }

  #ready(): readonly WorkerProcess[] {
    return this.#slots.map(({ ready }) => ready).filter((worker) => worker !== undefined);
  }

  #processes(): readonly WorkerProcess[] {
    return this.#slots.flatMap(({ processes }) => processes);
  }

  #assertServing(): void {
    if (this.#isEnding) throw new HemiError("HEMI_PROCESS", "the program is ending");
  }
}

function timeout(time: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, time, undefined).unref());
}

/** In bytes: as many as a key of TLS session tickets has. */
const secretSize = 48;

const nothing = { kept: 0, changes: [] } as const;

/** How long a check, and the preparation of a reload, may take, in milliseconds. */
const patience = 30_000;

/** How long a worker may take to say what it uses, in milliseconds. */
const usageTime = 1000;
