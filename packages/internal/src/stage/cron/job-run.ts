// One run of a cronjob: under its locks, tried again if it fails, aborted if it takes too long. It never rejects.
//
//   lock of the leader ──> turn of this time ──> lock of all machines ──> work, again, … ──> outcome
//      │ held: skipped        │ taken: elsewhere      │ held: skipped
//      └ an old worker still  └ only with `withLock`  └ only with `withLock`
//        runs it

import { afterRunning } from "@hemi/common";
import type { Context } from "../context.ts";
import { keepLock } from "../locks/keep-lock.ts";
import type { LockService } from "../locks/lock-service.ts";
import type { CronProps } from "./cron-props.ts";
import type { RunCause, RunEnd } from "./run-history.ts";

/** What a run is told of itself. */
export interface RunFacts {
  /** Its time by the schedule, in milliseconds since the epoch; of one that was ordered, when it was. */
  readonly due: number;
  /** From 1. */
  readonly attempt: number;
  /** The fencing token of the lock that it runs under: higher than that of each former run. */
  readonly token: number;
}

/** One attempt. Reject if it fails; end soon when the signal aborts: its reason is an error that says why. */
export type Work = (signal: AbortSignal, run: RunFacts) => Promise<void>;

/** What a run needs of its cronjob. */
export type RunContext = Pick<Context<CronProps>, "props" | "log" | "stage" | "workers" | "path">;

/** What is run, and why. */
export interface JobRunOptions {
  readonly work: Work;
  /** In milliseconds, how long the work may take to end when it is aborted: its locks are kept until then. */
  readonly abortTime: number;
  /** Its time by the schedule, in milliseconds since the epoch. */
  readonly due: number;
  readonly cause: RunCause;
}

export class JobRun {
  readonly #context: RunContext;
  readonly #options: JobRunOptions;
  readonly #abort = new AbortController();
  #attempts = 0;

  constructor(context: RunContext, options: JobRunOptions) {
    this.#context = context;
    this.#options = options;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  async run(): Promise<RunEnd> {
    const { workers, log } = this.#context;
    try {
      const own = await keepLock(workers.locks, this.#lockName, (signal, token) => this.#runHere(signal, token));
      if (own !== undefined) return own.result;
      log.warn("still runs in another worker, and is not begun once more");
      return { outcome: "skipped", attempts: 0 };
    } catch (error) {
      return this.#failed("could not get its lock", error);
    }
  }

  get #lockName(): string {
    return `cronjob ${this.#context.path}`;
  }

  /** No other worker of this machine runs it. */
  async #runHere(signal: AbortSignal, token: number): Promise<RunEnd> {
    const { withLock, onDown } = this.#context.props;
    if (withLock === undefined) return await this.#tryAll(signal, token);
    try {
      return await this.#runForAll(withLock.current, signal);
    } catch (error) {
      if (onDown !== "run") return this.#failed("cannot reach its locks, and does not run", error);
      this.#context.log.warn("cannot reach its locks, and runs all the same", { error });
      return await this.#tryAll(signal, token);
    }
  }

  /** On this machine or another one. Rejects if the locks cannot be reached. */
  async #runForAll(locks: LockService, signal: AbortSignal): Promise<RunEnd> {
    const { log, props } = this.#context;
    // Not released: a machine whose clock is late must not run it once more.
    const turn = { ttl: props.jitter + clockDifference };
    const isOurs =
      this.#options.cause === "command" ||
      (await locks.acquireLock(`${this.#lockName} at ${this.#options.due}`, turn)) !== undefined;
    if (!isOurs) {
      log.debug("another machine runs it");
      return { outcome: "elsewhere", attempts: 0 };
    }
    const run = (kept: AbortSignal, token: number): Promise<RunEnd> => this.#tryAll(kept, token);
    const kept = await keepLock(locks, this.#lockName, run, { signal });
    if (kept !== undefined) return kept.result;
    log.warn("still runs on another machine, and is not begun once more");
    return { outcome: "skipped", attempts: 0 };
  }

  async #tryAll(kept: AbortSignal, token: number): Promise<RunEnd> {
    const { props, log } = this.#context;
    const { timeout, retries } = props;
    const begun = performance.now();
    const tooLate = (): void => this.abort(new Error(`it took longer than ${timeout} ms`));
    const forget = afterRunning(timeout, tooLate, { keepsAlive: false });
    const signal = AbortSignal.any([kept, this.#abort.signal]);
    const aborted = rejectsWhenAborted(signal);
    try {
      for (let wait = 0; ; wait = firstRetry * 2 ** (this.#attempts - 1)) {
        try {
          if (wait > 0) await Promise.race([pause(wait), aborted]);
          const facts = { due: this.#options.due, attempt: ++this.#attempts, token };
          await this.#workOnce(signal, facts);
          log.debug("has run", { ms: Math.round(performance.now() - begun) });
          return { outcome: "done", attempts: this.#attempts };
        } catch (error) {
          if (signal.aborted) return this.#failed("was aborted", error, "aborted");
          if (this.#attempts > retries) return this.#failed("failed", error);
          log.warn("failed, and is tried again", { error, attempt: this.#attempts });
        }
      }
    } finally {
      forget();
    }
  }

  async #workOnce(signal: AbortSignal, facts: RunFacts): Promise<void> {
    // Nobody would end what begins after it was aborted.
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    let forget: (() => void) | undefined;
    // Work that does not heed the signal must not hold up all runs to come; other work ends before the next run begins.
    const abort = (): void => {
      forget = afterRunning(this.#options.abortTime, () => aborted.reject(reasonOf(signal)));
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#options.work(signal, facts), aborted.promise]);
      signal.throwIfAborted();
    } catch (error) {
      throw signal.aborted ? reasonOf(signal) : error;
    } finally {
      signal.removeEventListener("abort", abort);
      forget?.();
    }
  }

  #failed(what: string, error: unknown, outcome: "failed" | "aborted" = "failed"): RunEnd {
    this.#context.log.error(what, { error });
    return { outcome, attempts: this.#attempts, error: error instanceof Error ? error.message : String(error) };
  }
}

function rejectsWhenAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    const rejectNow = (): void => reject(reasonOf(signal));
    if (signal.aborted) rejectNow();
    else signal.addEventListener("abort", rejectNow, { once: true });
  });
  aborted.catch(() => {});
  return aborted;
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error("it was aborted");
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, time).unref());
}

/** In milliseconds. */
const firstRetry = 1000;
/** In milliseconds, how much the clocks of two machines may differ, and how far one may be put back. */
export const clockDifference = 5 * 60_000;
