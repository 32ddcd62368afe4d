// `hemi serve`: this process leads workers that serve.

import { join } from "node:path";
import { HemiError, openErrorLog, type OwnedErrorLog } from "@hemi/hemi/base";
import type { Fate, Plan } from "@hemi/hemi";
import { advise, type AdviceOrder, type AdviceReport } from "../advise/advise.ts";
import { sumOfPurges } from "../caches/cache-actions.ts";
import type { CommandLine } from "../command-line.ts";
import type { ServeOptions } from "../channel/calls.ts";
import { AdminServer } from "../control/admin.ts";
import type { ActionHandlers } from "../control/handlers.ts";
import { listedPlan } from "../control/listed-plan.ts";
import { controlPath, varsFolder } from "../control/place.ts";
import { ControlServer } from "../control/server.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import type { ChildOptions } from "../leader/child-process.ts";
import { Leader } from "../leader/leader.ts";
import { Output } from "../leader/output.ts";
import { removePidFile, writePidFile } from "../leader/pid-file.ts";
import type { WorkerStory } from "../observe/story-text.ts";
import { inheritedSockets } from "../systemd/inherited-sockets.ts";
import { Notifier } from "../systemd/notifier.ts";
import { terminalWatch } from "../terminal.ts";
import { ownVersion } from "../own-version.ts";
import { Audit } from "../webui/audit.ts";
import { LogTail } from "../webui/log-tail.ts";
import { ProgramView } from "../webui/program-view.ts";
import { WebUI } from "../webui/web-ui.ts";

export async function serveLeading(line: CommandLine): Promise<ExitCode> {
  const { logLevel: level, logFormat: format, logFile: file } = line;
  const tail = new LogTail();
  const log = openErrorLog({ level, format, follow: tail.follow, ...(file === undefined ? {} : { file }) });
  const output = new Output(line, log);
  try {
    return await new Program(line, log, output, tail).run();
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
  #leader: Leader | undefined;
  #control: ControlServer | undefined;
  #admin: AdminServer | undefined;
  #webUI: WebUI | undefined;
  #isEnding = false;

  constructor(line: CommandLine, log: OwnedErrorLog, output: Output, tail: LogTail) {
    this.#tail = tail;
    this.#audit = new Audit(log);
    this.#line = line;
    this.#log = log;
    this.#output = output;
    this.#notifier = new Notifier(log);
  }

  async run(): Promise<ExitCode> {
    process.title = `${this.#line.title} leader`;
    const listened = this.#listenToSignals();
    try {
      if (process.pid === 1)
        this.#log.warn(
          "is process 1, which must reap orphans, and Node.js does not: start it by an init, such as tini",
        );
      // First of all: another program with the same folder shall be found before a port is taken.
      this.#control = await this.#openControl();
      if (this.#line.pidFile !== undefined) await writePidFile(this.#line.pidFile);
      this.#leader = new Leader({
        serve: serveOptionsOf(this.#line),
        workers: this.#line.workers,
        children: this.#children,
        inherited: await inheritedSockets(process.env),
        maxMemory: this.#line.maxMemory,
        log: this.#log,
        logged: (slot, entries) => this.#tail.add(`worker ${slot}`, entries),
      });
      this.#admin = await this.#openAdmin();
      const started = this.#leader.start();
      started.catch(() => {});
      // A signal to end while workers start cancels the start, whose failure is then not reported.
      const early = await Promise.race([started, this.#ended.promise]).catch((error: unknown) => {
        if (!this.#isEnding) throw error;
        return this.#ended.promise;
      });
      if (early !== undefined) return early;
      this.#log.info(`leads ${this.#line.workers} ${this.#line.workers === 1 ? "worker" : "workers"}`, {
        pid: process.pid,
      });
      this.#webUI = await this.#openWebUI(this.#leader);
      await this.#notifier.ready();
      // For a parent process that waits for it, as `--daemon` and pm2 do.
      process.send?.("ready");
      return await this.#ended.promise;
    } finally {
      this.#control?.close();
      this.#admin?.close();
      this.#webUI?.close();
      if (this.#line.pidFile !== undefined) await removePidFile(this.#line.pidFile);
      this.#notifier.close();
      for (const [signal, listener] of listened) process.off(signal, listener);
    }
  }

  /** Without `--vars`, a folder that cannot be used costs the commands for the running program, and nothing else. */
  async #openControl(): Promise<ControlServer | undefined> {
    try {
      return await ControlServer.open(controlPath(this.#line), this.#clientOptions);
    } catch (error) {
      const isTaken = error instanceof HemiError && error.code === "HEMI_PROCESS";
      if (isTaken || this.#line.varsDir !== undefined) throw error;
      this.#log.warn("has no control socket, so that commands cannot reach it: give it a folder by --vars", { error });
      return undefined;
    }
  }

  async #openAdmin(): Promise<AdminServer | undefined> {
    const { admin, adminToken, adminCertificate: certificate, adminKey: key } = this.#line;
    if (admin === undefined) return undefined;
    const tokenFile = adminToken ?? join(varsFolder(this.#line), "admin.token");
    const options = { ...admin, tokenFile, isTokenMade: adminToken === undefined, certificate, key };
    const server = await AdminServer.open(options, this.#clientOptions);
    this.#log.info(`takes commands on ${server.address}`, { token: tokenFile });
    return server;
  }

  /** A port that is taken costs the web UI, and nothing else. */
  async #openWebUI(leader: Leader): Promise<WebUI | undefined> {
    const { webUI: address, title, logFormat, logFile } = this.#line;
    if (address === undefined) return undefined;
    const view = new ProgramView({ leader, actions: this.#actions, tail: this.#tail, audit: this.#audit });
    const options = { address, title, view, children: this.#children, logFormat, logFile, log: this.#log };
    try {
      const opened = await WebUI.open(options);
      this.#log.info(`shows itself on ${opened.origin}: hemi webui prints the link that opens it`);
      // Not by the log, which others may read.
      if (process.stderr.isTTY) process.stderr.write(`\n  Web UI: ${opened.link}\n\n`);
      return opened;
    } catch (error) {
      view[Symbol.dispose]();
      if (!(error instanceof HemiError) || error.code !== "HEMI_LISTEN") throw error;
      this.#log.warn(`has no web UI: ${error.message}; --webui takes another address, or off`);
      return undefined;
    }
  }

  get #children(): ChildOptions {
    return { user: this.#line.user, group: this.#line.group, output: this.#output };
  }

  get #clientOptions() {
    return { handlers: this.#actions, audit: this.#audit, log: this.#log };
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
    rework: (params) => this.#serving.rework(params?.slot),
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
    throw new HemiError(
      "HEMI_USAGE",
      `no worker knows request ${requestId}: it is not under way, and not among the last sampled ones (see traceTo and tracesPerMillion)`,
    );
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
      this.#log.error("could not follow the new configuration, and goes on as before", { error });
      throw error;
    } finally {
      await this.#notifier.ready();
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
    await this.#notifier.stopping();
    await this.#leader?.quit(this.#line.drainDelay);
    this.#ended.resolve(code);
  }

  async #stop(code: number): Promise<void> {
    this.#isEnding = true;
    await this.#leader?.stop();
    this.#control?.close();
    if (this.#line.pidFile !== undefined) await removePidFile(this.#line.pidFile);
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

function serveOptionsOf(line: CommandLine): ServeOptions {
  const { title, config, base, logsDir, tmpsDir, varsDir, use, logLevel, logFormat, logFile, grace, stall } = line;
  return { title, config, base, logsDir, tmpsDir, varsDir, use, logLevel, logFormat, logFile, grace, stall };
}
