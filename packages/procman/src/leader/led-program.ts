// A program with a leader, in the process of the leader: from its start, or from the moment when it takes over from
// another leader, to its end.
//
//   start ─────┬──> leads ──┬── quit, stop ─────────────> ended
//   take over ─┘            └── hand over ──> retires ──> ended

import { HemiError, type LogEntry, type OwnedErrorLog } from "@hemi/hemi/base";
import type { Fate, Plan } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { WithHandle } from "../channel/channel.ts";
import type { Actions, PlanReport } from "../control/actions.ts";
import { Entrances } from "../control/entrances.ts";
import { callAction, type Act, type ActionHandlers } from "../control/handlers.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { inheritedSockets } from "../systemd/inherited-sockets.ts";
import { Notifier } from "../systemd/notifier.ts";
import { serveOptionsOf } from "../serve-options.ts";
import { terminalWatch, writeToPeople } from "../terminal.ts";
import { Audit } from "../webui/audit.ts";
import type { LogTail } from "../webui/log-tail.ts";
import { openWebUI } from "../webui/open-web-ui.ts";
import { ProgramView } from "../webui/program-view.ts";
import type { WebUI } from "../webui/web-ui.ts";
import { whyAwaited } from "./awaited.ts";
import type { ChildOptions } from "./child-process.ts";
import { HandedOver } from "./handing-over.ts";
import { Leader, type LeaderOptions } from "./leader.ts";
import { LeaderLines } from "./leader-lines.ts";
import type { Output } from "./output.ts";
import { programActions } from "./program-actions.ts";
import { Sockets } from "./sockets.ts";
import { Successor } from "./successor.ts";
import { TakingOver } from "./taking-over.ts";

export class LedProgram {
  readonly #line: CommandLine;
  readonly #log: OwnedErrorLog;
  readonly #output: Output;
  readonly #notifier: Notifier;
  readonly #tail: LogTail;
  readonly #audit: Audit;
  readonly #ended = Promise.withResolvers<ExitCode>();
  readonly #hasLostTerminal = terminalWatch();
  readonly #entrances: Entrances;
  readonly #lines: LeaderLines;
  #leader: Leader | undefined;
  #webUI: WebUI | undefined;
  /** From another leader. */
  #takingOver: TakingOver | undefined;
  #isEnding = false;

  constructor(line: CommandLine, log: OwnedErrorLog, output: Output, tail: LogTail) {
    this.#tail = tail;
    this.#audit = new Audit(log);
    this.#line = line;
    this.#log = log;
    this.#output = output;
    this.#notifier = new Notifier(log);
    this.#lines = new LeaderLines(log, (entries) => this.#passLines(entries));
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
      await this.#lines[Symbol.asyncDispose]();
      await this.#entrances.close();
      this.#closeWebUI();
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
    await this.#leads();
    // For a parent process that waits for it, as `--daemon` and pm2 do.
    tellParent("ready");
  }

  /** Resolves when this process leads in the place of the one that has started it. */
  async #takeOver(): Promise<void> {
    this.#takingOver = new TakingOver({
      entrances: this.#entrances,
      makeLeader: (options) => (this.#leader = new Leader({ ...this.#leaderOptions, ...options })),
      act: this.#act,
      leads: () => this.#leads(),
    });
    try {
      await this.#takingOver.led;
    } catch (error) {
      await this.#leader?.quit(0);
      throw error;
    }
  }

  /** The web UI and systemd belong to the process that leads. */
  async #leads(): Promise<void> {
    this.#webUI ??= await this.#openWebUI(this.#serving);
    await this.#notifier.ready();
  }

  /** Lets another process lead the program. Rejects if it does not get ready: this one goes on. */
  async #handOver(): Promise<Actions["rework"]["result"]> {
    const reason = await whyAwaited(process.env, this.#takingOver !== undefined);
    if (reason !== undefined)
      throw new HemiError("HEMI_USAGE", `the leader cannot be replaced: ${reason}; hemi rework replaces the workers`);
    this.#log.info("starts a new leader because of a command");
    let pid = 0;
    try {
      const successor = await this.#serving.handOver({
        start: (calls) => {
          const own = {
            adminSocket: () => this.#adminSocket(),
            stop: () => {
              void this.#stop(exitCodes.fine);
              return undefined;
            },
          };
          const started = new Successor({ ...calls, ...own }, this.#line.patience);
          ({ pid } = started);
          return started;
        },
        letGo: () => this.#closeWebUI(),
      });
      this.#log.info("finishes what runs, and ends: there is a new leader", { pid });
      void this.#retire(successor);
      await this.#serving.left();
      return { workers: this.#serving.status.slots, leader: pid };
    } catch (error) {
      this.#log.error("goes on: there is no new leader", { error });
      await this.#entrances.reclaim(pid);
      if (!this.#isEnding) await this.#leads();
      throw error;
    }
  }

  /** For a new leader; `null`: there is no address of --admin. */
  #adminSocket(): { readonly address: string } | null | WithHandle<{ readonly address: string }> {
    const { address, handle } = this.#entrances.adminSocket ?? {};
    return address === undefined || handle === undefined ? null : new WithHandle({ address }, handle);
  }

  /** Another leader leads. */
  async #retire(successor: Successor): Promise<void> {
    this.#isEnding = true;
    this.#entrances.leave();
    const counts = await this.#serving.retire(successor);
    await this.#lines[Symbol.asyncDispose]();
    await successor.leaveTo(counts);
    this.#ended.resolve(exitCodes.fine);
  }

  /** Lines of the log of this process, to a worker of whichever leader leads. Rejects if none is ready. */
  async #passLines(entries: readonly LogEntry[]): Promise<void> {
    const { successor } = this.#serving;
    await (successor?.passLeaderLines(entries) ?? this.#serving.calls.primary("leaderLogged", entries));
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

  /**
   * Orders wait while it is not known which of two leaders leads. What comes after another leader has taken over, or
   * has waited for its turn meanwhile, is for that one.
   */
  readonly #act: Act = async (name, params) => {
    await this.#decided();
    const successor = this.#leader?.successor;
    if (successor !== undefined) return await successor.act(name, params);
    try {
      return await callAction(this.#actions, name, params);
    } catch (error) {
      if (!(error instanceof HandedOver)) throw error;
      return await this.#leader?.successor?.act(name, params);
    }
  };

  async #decided(): Promise<void> {
    await this.#takingOver?.led.catch((cause: unknown) => {
      throw new HemiError("HEMI_PROCESS", "this process does not lead the program; send the command once more", {
        cause,
      });
    });
    await this.#leader?.decided();
  }

  async #openWebUI(leader: Leader): Promise<WebUI | undefined> {
    const { webUI: address, title, logFormat, logFile } = this.#line;
    const opened = await openWebUI(address, () => {
      const view = new ProgramView({ program: leader, actions: this.#actions, tail: this.#tail, audit: this.#audit });
      return { title, view, children: this.#children, logFormat, logFile, log: this.#log };
    });
    if (opened === undefined) return undefined;
    this.#log.info(`shows itself on ${opened.origin}: hemi webui prints the link that opens it`);
    // Not by the log, which others may read.
    if (process.stderr.isTTY) writeToPeople(`\n  Web UI: ${opened.link}\n\n`);
    return opened;
  }

  #closeWebUI(): void {
    this.#webUI?.close();
    this.#webUI = undefined;
  }

  get #children(): ChildOptions {
    return { user: this.#line.user, group: this.#line.group, output: this.#output };
  }

  get #serving(): Leader {
    if (this.#leader === undefined) throw new HemiError("HEMI_PROCESS", "the program is not ready yet");
    return this.#leader;
  }

  readonly #actions: ActionHandlers = programActions({
    leader: () => this.#serving,
    pids: () => ({ leader: process.pid, workers: this.#leader?.pids() ?? [] }),
    reload: (rework) => this.#reload("a command", rework),
    handOver: () => this.#handOver(),
    reopen: () => this.#reopen("a command"),
    webUI: () => (this.#webUI === undefined ? null : { link: this.#webUI.link }),
    quit: () => this.#end("a command", exitCodes.fine),
    stop: () => void this.#stop(exitCodes.fine),
  });

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

  async #reload(cause: string, rework = false): Promise<PlanReport> {
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
    // Whoever leads then ends the program.
    await this.#leader?.decided();
    const successor = this.#leader?.successor;
    if (successor !== undefined) return void successor.act("quit", undefined).catch(() => {});
    const predecessor = this.#takingOver?.predecessor;
    // A leader that does not lead yet ends, and the program goes on.
    if (predecessor === undefined || this.#leader?.isLeading === true) await this.#notifier.stopping();
    await this.#leader?.quit(this.#line.drainDelay);
    // systemd ends what is left of a program when its leader has ended.
    await predecessor?.gone;
    this.#ended.resolve(code);
  }

  async #stop(code: number): Promise<void> {
    this.#isEnding = true;
    this.#takingOver?.predecessor.stop();
    await this.#leader?.stop();
    await this.#entrances.close();
    await this.#output.close();
    this.#log.flushSync();
    process.exit(code);
  }
}

/** One that has left meanwhile is not told, and the program serves. */
function tellParent(message: string): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
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
