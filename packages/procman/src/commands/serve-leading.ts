// `hemi serve`: this process leads workers that serve.

import { HemiError, openErrorLog, type OwnedErrorLog } from "@hemi/hemi/base";
import type { Fate, Plan } from "@hemi/hemi";
import { advise, type AdviceOrder, type AdviceReport } from "../advise/advise.ts";
import { sumOfPurges } from "../caches/cache-actions.ts";
import type { CommandLine } from "../command-line.ts";
import { WithHandle } from "../channel/channel.ts";
import { assertSameHandover, handoverVersion } from "../channel/handover.ts";
import { Entrances } from "../control/entrances.ts";
import { callAction, type Act, type ActionHandlers } from "../control/handlers.ts";
import { listedPlan } from "../control/listed-plan.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { whyAwaited } from "../leader/awaited.ts";
import type { ChildOptions } from "../leader/child-process.ts";
import { HandedOver, Leader, type LeaderOptions } from "../leader/leader.ts";
import { Output } from "../leader/output.ts";
import { hasPredecessor, Predecessor } from "../leader/predecessor.ts";
import { Sockets } from "../leader/sockets.ts";
import { Successor } from "../leader/successor.ts";
import { unknownRequest, type WorkerStory } from "../observe/story-text.ts";
import { inheritedSockets } from "../systemd/inherited-sockets.ts";
import { Notifier } from "../systemd/notifier.ts";
import { serveOptionsOf } from "../serve-options.ts";
import { terminalWatch } from "../terminal.ts";
import { ownVersion } from "../own-version.ts";
import { Audit } from "../webui/audit.ts";
import { LogTail } from "../webui/log-tail.ts";
import { openWebUI } from "../webui/open-web-ui.ts";
import { ProgramView } from "../webui/program-view.ts";
import type { WebUI } from "../webui/web-ui.ts";

export async function serveLeading(line: CommandLine): Promise<ExitCode> {
  const isSuccessor = hasPredecessor();
  const { logLevel: level, logFormat: format, logFile: file } = line;
  const tail = new LogTail();
  const log = openErrorLog({ level, format, follow: tail.follow, ...(file === undefined ? {} : { file }) });
  const output = new Output(line, log);
  try {
    return await new Program(line, log, output, tail).run(isSuccessor);
  } finally {
    await output.close();
    await log.close();
  }
}

/** Between the start and the end of a program. */
class Program {
  readonly #line: CommandLine;
  readonly #log: OwnedErrorLog;
  readonly #output: Output;
  readonly #notifier: Notifier;
  readonly #tail: LogTail;
  readonly #audit: Audit;
  readonly #ended = Promise.withResolvers<ExitCode>();
  readonly #hasLostTerminal = terminalWatch();
  readonly #entrances: Entrances;
  #leader: Leader | undefined;
  #webUI: WebUI | undefined;
  /** The leader that this one takes over from. */
  #predecessor: Predecessor | undefined;
  #isEnding = false;

  constructor(line: CommandLine, log: OwnedErrorLog, output: Output, tail: LogTail) {
    this.#tail = tail;
    this.#audit = new Audit(log);
    this.#line = line;
    this.#log = log;
    this.#output = output;
    this.#notifier = new Notifier(log);
    this.#entrances = new Entrances(line, { act: this.#act, audit: this.#audit, log });
  }

  async run(isSuccessor: boolean): Promise<ExitCode> {
    process.title = `${this.#line.title} leader`;
    const listened = this.#listenToSignals();
    try {
      if (process.pid === 1)
        this.#log.warn(
          "is process 1, which must reap orphans, and Node.js does not: start it by an init, such as tini",
        );
      const started = isSuccessor ? this.#takeOver() : this.#start();
      started.catch(() => {});
      // A signal to end while workers start cancels the start, whose failure is then not reported.
      const early = await Promise.race([started, this.#ended.promise]).catch((error: unknown) => {
        if (!this.#isEnding) throw error;
        return this.#ended.promise;
      });
      if (early !== undefined) return early;
      const { slots } = this.#serving.status;
      this.#log.info(`leads ${slots} ${slots === 1 ? "worker" : "workers"}`, { pid: process.pid });
      return await this.#ended.promise;
    } finally {
      await this.#entrances.close();
      this.#webUI?.close();
      this.#notifier.close();
      for (const [signal, listener] of listened) process.off(signal, listener);
    }
  }

  async #start(): Promise<void> {
    // First of all: another program with the same folder shall be found before a port is taken.
    await this.#entrances.open();
    const { workers } = this.#line;
    const sockets = new Sockets(workers, await inheritedSockets(process.env));
    const leader = new Leader({ ...this.#leaderOptions, workers, sockets });
    this.#leader = leader;
    await leader.start();
    this.#webUI = await this.#openWebUI(leader);
    await this.#notifier.ready();
    // For a parent process that waits for it, as `--daemon` and pm2 do.
    process.send?.("ready");
  }

  /**
   * Takes the program over from the leader that has started this process. Resolves when this one leads. Rejects if the
   * old one goes on, or ends before it has let go.
   */
  async #takeOver(): Promise<void> {
    const led = Promise.withResolvers<void>();
    let mayLead = false;
    const predecessor: Predecessor = new Predecessor({
      greet: ({ version }) => {
        assertSameHandover(version);
        return { version: handoverVersion };
      },
      prepare: async (handover) => {
        await this.#entrances.prepare();
        const { workers } = handover;
        const sockets = await Sockets.taken(workers, handover.sockets, (name) => predecessor.socket(name));
        const takenOver = { predecessor, handover };
        this.#leader = new Leader({ ...this.#leaderOptions, workers, sockets, takenOver });
        await this.#leader.start();
        return undefined;
      },
      lead: async (state) => {
        const admin = await predecessor.adminSocket();
        // From here on, the end of the old leader is none of the program.
        mayLead = true;
        try {
          await this.#entrances.seize(admin);
          await this.#serving.lead(state);
          await predecessor.letGo();
          this.#webUI = await this.#openWebUI(this.#serving);
          await this.#notifier.ready();
          led.resolve();
          return undefined;
        } catch (error) {
          led.reject(error);
          throw error;
        }
      },
      act: ({ name, params }) => this.#act(name, params),
      secret: ({ name, secret }) => {
        this.#leader?.takeSecret(name, secret);
      },
      deliver: (message) => {
        this.#leader?.broadcast(message, predecessor);
      },
      count: () => this.#serving.counts.totalWithout(predecessor),
      counted: (report) => {
        this.#leader?.counts.take(predecessor, report);
      },
    });
    this.#predecessor = predecessor;
    void predecessor.gone.then(() => {
      if (!mayLead) led.reject(new HemiError("HEMI_PROCESS", "the old leader has ended, or goes on itself"));
    });
    try {
      await led.promise;
    } catch (error) {
      await this.#leader?.quit(0);
      throw error;
    }
  }

  /** Lets another process lead the program. Rejects if it does not get ready: this one goes on. */
  async #handOver(): Promise<{ readonly workers: number; readonly leader: number }> {
    const reason = await whyAwaited(process.env, this.#predecessor !== undefined);
    if (reason !== undefined)
      throw new HemiError("HEMI_USAGE", `the leader cannot be replaced: ${reason}; hemi rework replaces the workers`);
    this.#log.info("starts a new leader because of a command");
    let pid = 0;
    try {
      const successor = await this.#serving.handOver((calls) => {
        const started = new Successor(
          {
            ...calls,
            adminSocket: () => {
              const { address, handle } = this.#entrances.adminSocket ?? {};
              return address === undefined || handle === undefined ? null : new WithHandle({ address }, handle);
            },
            letGo: () => {
              this.#webUI?.close();
              this.#webUI = undefined;
            },
            stop: () => {
              void this.#stop(exitCodes.fine);
            },
          },
          this.#line.patience,
        );
        ({ pid } = started);
        return started;
      });
      this.#log.info("finishes what runs, and ends: there is a new leader", { pid });
      void this.#retire(successor);
      return { workers: this.#serving.status.slots, leader: pid };
    } catch (error) {
      this.#log.error("goes on: there is no new leader", { error });
      await this.#entrances.reclaim(pid);
      this.#webUI ??= await this.#openWebUI(this.#serving);
      await this.#notifier.ready();
      throw error;
    }
  }

  /** Another leader leads. */
  async #retire(successor: Successor): Promise<void> {
    this.#isEnding = true;
    this.#entrances.leave();
    await this.#serving.retire(successor);
    this.#ended.resolve(exitCodes.fine);
  }

  get #leaderOptions(): Omit<LeaderOptions, "workers"> {
    const { maxMemory, patience } = this.#line;
    const logged: LeaderOptions["logged"] = (slot, entries) => this.#tail.add(`worker ${slot}`, entries);
    return {
      serve: serveOptionsOf(this.#line),
      children: this.#children,
      maxMemory,
      patience,
      log: this.#log,
      logged,
    };
  }

  /** What comes after another leader has taken over, or has waited for its turn meanwhile, is for that one. */
  readonly #act: Act = async (name, params) => {
    const successor = this.#leader?.successor;
    if (successor !== undefined) return await successor.act(name, params);
    try {
      return await callAction(this.#actions, name, params);
    } catch (error) {
      if (!(error instanceof HandedOver)) throw error;
      return await this.#leader?.successor?.act(name, params);
    }
  };

  async #openWebUI(leader: Leader): Promise<WebUI | undefined> {
    const { webUI: address, title, logFormat, logFile } = this.#line;
    const opened = await openWebUI(address, () => {
      const view = new ProgramView({ program: leader, actions: this.#actions, tail: this.#tail, audit: this.#audit });
      return { title, view, children: this.#children, logFormat, logFile, log: this.#log };
    });
    if (opened === undefined) return undefined;
    this.#log.info(`shows itself on ${opened.origin}: hemi webui prints the link that opens it`);
    // Not by the log, which others may read.
    if (process.stderr.isTTY) process.stderr.write(`\n  Web UI: ${opened.link}\n\n`);
    return opened;
  }

  get #children(): ChildOptions {
    return { user: this.#line.user, group: this.#line.group, output: this.#output };
  }

  get #serving(): Leader {
    if (this.#leader === undefined) throw new HemiError("HEMI_PROCESS", "the program is not ready yet");
    return this.#leader;
  }

  readonly #actions: ActionHandlers = {
    pids: () => ({ leader: process.pid, workers: this.#leader?.pids() ?? [] }),
    leader: async () => ({
      ...this.#serving.status,
      version: ownVersion(),
      node: process.versions.node,
      listensOn: await this.#serving.listensOn(),
    }),
    workers: () => this.#serving.workers(),
    version: () => ({ hemi: ownVersion(), node: process.versions.node }),
    plan: async (params) => listedPlan(await this.#serving.plan(params?.config)),
    reload: async (params) => listedPlan(await this.#reload("a command", params?.rework ?? false)),
    explain: (params) => this.#serving.callPrimary("explain", params),
    rework: async (params) =>
      params?.leader === true
        ? await this.#handOver()
        : { ...(await this.#serving.rework(params?.slot)), leader: null },
    webUI: () => (this.#webUI === undefined ? null : { link: this.#webUI.link }),
    reopen: async () => {
      await this.#reopen("a command");
      return null;
    },
    counts: async () => {
      const report = await this.#serving.counts.total();
      return report.filter(({ values }) => values.some((value) => value !== 0));
    },
    profile: (order) => this.#serving.callSlot(order.slot, "profile", order),
    measure: (order) => this.#serving.callSlot(order.slot, "measure", order),
    advise: (order) => this.#advise(order),
    backends: ({ backend }) => this.#serving.orders.backends(backend),
    steerNode: (change) => this.#serving.orders.steerNode(change),
    logLevel: (order) => this.#serving.orders.setLevel(order),
    trace: ({ requestId }) => this.#storyOf(requestId),
    logs: (order) => this.#serving.orders.logs(order),
    cachePurge: async (order) => {
      const purges = await this.#serving.callAll("cachePurge", order);
      return sumOfPurges(purges.map(({ result }) => result));
    },
    cacheExplain: async (url) => {
      const workers = await this.#serving.callAll("cacheExplain", url);
      return workers.map(({ slot, result: caches }) => ({ slot, caches }));
    },
    cronList: () => this.#serving.callPrimary("cronList", undefined),
    cronPreview: (order) => this.#serving.callPrimary("cronPreview", order),
    cronRun: (order) => this.#serving.callPrimary("cronRun", order),
    cronHistory: (order) => this.#serving.callPrimary("cronHistory", order),
    quit: () => {
      this.#end("a command", exitCodes.fine);
      return null;
    },
    stop: () => {
      void this.#stop(exitCodes.fine);
      return null;
    },
  };

  #advise(order: AdviceOrder): Promise<AdviceReport> {
    const { counts, orders } = this.#serving;
    return advise(
      {
        counts: () => counts.total(),
        backends: () => orders.backends(),
        limits: async () => (await this.#serving.callAll("limits", undefined))[0]?.result ?? [],
      },
      order,
    );
  }

  async #storyOf(requestId: string): Promise<WorkerStory> {
    const told = await this.#serving.callAll("story", { requestId });
    for (const { slot, result } of told) if (result !== null) return { slot, ...result };
    throw unknownRequest(requestId);
  }

  #listenToSignals(): readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] {
    const end = (signal: NodeJS.Signals): void => {
      if (this.#isEnding) void this.#stop(signal === "SIGINT" ? 130 : 143);
      else this.#end(signal, exitCodes.fine);
    };
    const listeners = [
      ["SIGINT", end],
      ["SIGTERM", end],
      ["SIGQUIT", end],
      ["SIGHUP", (signal) => (this.#hasLostTerminal() ? end(signal) : this.#quietly(() => this.#reload(signal)))],
      ["SIGUSR1", (signal) => this.#quietly(() => this.#reopen(signal))],
      ["SIGUSR2", (signal) => this.#quietly(() => this.#rework(signal))],
    ] as const satisfies readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[];
    for (const [signal, listener] of listeners) process.on(signal, listener);
    return listeners;
  }

  /** What fails is in the log. */
  #quietly(work: () => Promise<unknown>): void {
    work().catch((error: unknown) => this.#log.error("cannot do what a signal asks for", { error }));
  }

  async #reload(cause: string, rework = false) {
    this.#log.info(`reads its configuration again because of ${cause}`);
    await this.#notifier.reloading();
    try {
      const report = await this.#serving.reload(rework);
      this.#log.info("follows the new configuration", countsOf(report.plan));
      if (report.changedModules.length > 0)
        this.#log.warn("goes on with the old code of changed modules: hemi rework loads them anew", {
          modules: report.changedModules,
        });
      return report;
    } catch (error) {
      if (!(error instanceof HandedOver))
        this.#log.error("could not follow the new configuration, and goes on as before", { error });
      throw error;
    } finally {
      await this.#notifier.ready(this.#leader?.isLeading);
    }
  }

  async #rework(cause: string): Promise<void> {
    this.#log.info(`replaces its workers because of ${cause}`);
    await this.#serving.rework();
    this.#log.info("has replaced its workers");
  }

  async #reopen(cause: string): Promise<void> {
    this.#log.reopen();
    this.#output.reopen();
    await this.#leader?.reopen();
    this.#log.info(`opened its logs anew because of ${cause}`);
  }

  #end(cause: string, code: ExitCode): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#log.info(`ends because of ${cause}; again to end at once`);
    void this.#quit(code);
  }

  async #quit(code: ExitCode): Promise<void> {
    // A leader that does not lead yet ends, and the program goes on.
    if (this.#predecessor === undefined || this.#leader?.isLeading === true) await this.#notifier.stopping();
    await this.#leader?.quit(this.#line.drainDelay);
    // systemd ends what is left of a program when its leader has ended.
    await this.#predecessor?.gone;
    this.#ended.resolve(code);
  }

  async #stop(code: number): Promise<void> {
    this.#isEnding = true;
    this.#predecessor?.stop();
    await this.#leader?.stop();
    await this.#entrances.close();
    await this.#output.close();
    this.#log.flushSync();
    process.exit(code);
  }
}

function countsOf({ kept, changes }: Plan): Readonly<Record<string, number>> {
  const count = (...fates: readonly Fate[]): number => changes.filter(({ fate }) => fates.includes(fate)).length;
  return {
    kept: kept + count("recomposed"),
    updated: count("updated"),
    created: count("created", "replaced"),
    dropped: count("dropped", "replaced"),
  };
}
