// `hemi serve --single`: boots a configuration and serves until it is stopped, in one process.

import { setTimeout as sleep } from "node:timers/promises";
import {
  bootFile,
  OnlyWorker,
  openErrorLog,
  problemPlace,
  type ErrorLog,
  type OwnedErrorLog,
  type Problem,
  type Stage,
} from "@hemi/hemi";
import { bootOptionsOf } from "../boot-options.ts";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { loadPacks } from "../load-packs.ts";
import { collectWhenIdle, growYoungGeneration } from "../memory/this-process.ts";
import { terminalWatch } from "../terminal.ts";

export async function serveSingle(line: CommandLine): Promise<ExitCode> {
  const use = await loadPacks(line.use);
  const { logLevel: level, logFormat: format, logFile: file, isDevelopment } = line;
  const log = openErrorLog({ level, format, ...(file === undefined ? {} : { file }) });
  const reopening = reopenAtSignal(log);
  // What the web UI needs is loaded only for it.
  const program = line.webUI && new (await import("../single/single-program.ts")).SingleProgram(line, log);
  try {
    const warned = (doubts: readonly Problem[]): void => {
      for (const doubt of doubts) log.warn(doubt.message, { at: problemPlace(doubt), hint: doubt.hint });
    };
    const workers = new OnlyWorker();
    const options = { ...bootOptionsOf(line), use, log, isDevelopment, warned, workers };
    const stage = await bootFile(line.config, { ...options, ...program?.bootOptions });
    if (isDevelopment)
      log.warn("development mode: the page for what no rule takes tells everyone of the configuration");
    reopening.stage = stage;
    const end = endOf(log, () => reload(program ?? stage, log));
    try {
      const started = stage.start();
      // A signal to end while the stage starts cancels the start, whose failure is then not reported.
      const early = await Promise.race([started, end.reached]);
      if (early !== undefined) started.catch(() => {});
      else await program?.show(stage);
      const stopCollecting = collectWhenIdle();
      const stopGrowing = growYoungGeneration();
      const cause = early ?? (await end.reached);
      stopCollecting();
      stopGrowing();
      if ("signal" in cause) log.info(`ends because of ${cause.signal}; again to end at once`);
      workers.drain();
      if ("signal" in cause && line.drainDelay > 0) await sleep(line.drainDelay);
      await stage.quit(line.grace);
      return "signal" in cause ? exitCodes.fine : exitCodes.crashed;
    } finally {
      end.forget();
    }
  } finally {
    program?.close();
    reopening.forget();
    await log.close();
  }
}

/** Reloads the configuration file. Errors are logged, and the running configuration continues. */
async function reload(program: Pick<Stage, "reload">, log: ErrorLog): Promise<void> {
  log.info("reads its configuration again because of SIGHUP");
  try {
    const { kept, updated, created, dropped } = await program.reload();
    const counts = { kept: kept.length, updated: updated.length, created: created.length, dropped: dropped.length };
    log.info("follows the new configuration", counts);
  } catch (error) {
    log.error("could not follow the new configuration, and goes on as before", { error });
  }
}

/** SIGUSR1 tells that the log files have been moved, as in nginx. While nothing is served, `bin/hemi.js` ignores it. */
function reopenAtSignal(log: OwnedErrorLog): { stage: Stage | undefined; forget(): void } {
  function onSignal(): void {
    log.reopen();
    void reopening.stage?.reopenLogs();
    log.info("opened its logs anew because of SIGUSR1");
  }
  process.on("SIGUSR1", onSignal);
  const reopening = {
    stage: undefined as Stage | undefined,
    forget: () => void process.off("SIGUSR1", onSignal),
  };
  return reopening;
}

/** Why a program ends: a signal, or an uncaught error. */
type End = { readonly signal: NodeJS.Signals } | { readonly thrown: unknown };

const signals = ["SIGINT", "SIGTERM", "SIGQUIT"] as const;

/**
 * Listens for reasons to end from now on. The first signal ends the program gracefully; a second one ends it at once,
 * as does a second uncaught error. Logs are flushed in that case, too. SIGHUP calls `reload`, except in a process whose
 * terminal is gone: there it ends the program gracefully.
 */
function endOf(log: OwnedErrorLog, reload: () => Promise<void>): { readonly reached: Promise<End>; forget(): void } {
  const { promise: reached, resolve } = Promise.withResolvers<End>();
  const hasLostTerminal = terminalWatch();
  let isEnding = false;
  // A stage with cronjobs only has nothing else that keeps the process alive.
  const hold = setInterval(() => {}, longTime);
  function onSignal(signal: NodeJS.Signals): void {
    if (isEnding) process.exit(signal === "SIGINT" ? 130 : 143);
    isEnding = true;
    resolve({ signal });
  }
  function onThrown(thrown: unknown): void {
    log.error("something was thrown that nothing caught: the program ends", { error: thrown });
    if (isEnding) process.exit(exitCodes.crashed);
    isEnding = true;
    resolve({ thrown });
  }
  function onHangup(signal: NodeJS.Signals): void {
    if (isEnding) return;
    // When a terminal closes, both the system and the shell may send it.
    if (hasLostTerminal()) onSignal(signal);
    else void reload();
  }
  for (const signal of signals) process.on(signal, onSignal);
  process.on("SIGHUP", onHangup);
  process.on("uncaughtException", onThrown);
  process.on("unhandledRejection", onThrown);
  return {
    reached,
    forget() {
      clearInterval(hold);
      for (const signal of signals) process.off(signal, onSignal);
      process.off("SIGHUP", onHangup);
      process.off("uncaughtException", onThrown);
      process.off("unhandledRejection", onThrown);
    },
  };
}

/** In milliseconds; the maximum of a timer. */
const longTime = 2 ** 31 - 1;
