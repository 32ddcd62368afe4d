// Work by a schedule: one worker of the program does it, the primary one.
//
//   waiting ──time comes──> running ──ends──> waiting
//      ^                      │ fails: retries
//      └── another worker is primary: nothing is done

import type { ErrorLog } from "../../log/error-log.ts";
import type { Context } from "../context.ts";
import type { CronProps } from "./cron-props.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

/** One run. Reject if it fails; end soon when the signal aborts: its reason is an error that says why. */
export type Work = (signal: AbortSignal) => Promise<void>;

/** Runs work by the schedule of a cronjob, from `start` to `stop`. */
export class ScheduledWork {
  readonly #context: Pick<Context<CronProps>, "props" | "log" | "stage" | "workers">;
  readonly #work: Work;
  readonly #schedule: Schedule;
  #next: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #isQueued = false;
  #isStopped = false;

  /** Throws HEMI_USAGE for a schedule that `checkCronProps` reports. */
  constructor(context: Pick<Context<CronProps>, "props" | "log" | "stage" | "workers">, work: Work) {
    this.#context = context;
    this.#work = work;
    this.#schedule = parseSchedule(context.props.schedule, context.props.zone);
  }

  /** Waits for the first time of the schedule. */
  start(): void {
    this.#plan();
  }

  /** Begins no run any more, and settles when the one under way has ended; it is aborted at the deadline. */
  async stop(deadline: number): Promise<void> {
    this.#isStopped = true;
    this.#isQueued = false;
    clearTimeout(this.#timer);
    const running = this.#running;
    if (running === undefined) return;
    const patience = Math.max(0, deadline - Date.now());
    const timer = setTimeout(() => running.abort.abort(new Error("the program ends")), patience);
    await running.done;
    clearTimeout(timer);
  }

  get #log(): ErrorLog {
    return this.#context.log;
  }

  #plan(): void {
    const now = this.#context.stage.clock.now();
    const time = this.#schedule.next(now);
    if (time === undefined) return this.#log.info("has no time to run any more");
    this.#next = time + Math.floor(Math.random() * (this.#context.props.jitter + 1));
    this.#wait();
  }

  /** In short steps: the clock may jump, and no timer waits for longer than 24 days. */
  #wait(): void {
    const left = (this.#next ?? 0) - this.#context.stage.clock.now();
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(left, 1), longestWait)).unref();
  }

  #look(): void {
    const now = this.#context.stage.clock.now();
    const isLongBefore = now < (this.#next ?? 0) - this.#context.props.jitter - longestWait * 2;
    if (now < (this.#next ?? 0)) return isLongBefore ? this.#plan() : this.#wait();
    if (this.#context.workers.isPrimary) this.#due();
    this.#plan();
  }

  #due(): void {
    if (this.#running === undefined) return this.#begin();
    const { overlap } = this.#context.props;
    if (overlap === "skip") return this.#log.warn("still runs when its time comes again, and is not begun once more");
    this.#isQueued = true;
    if (overlap === "replace") this.#running.abort.abort(new Error("its time has come again"));
  }

  #begin(): void {
    const abort = new AbortController();
    const done = this.#run(abort).finally(() => {
      this.#running = undefined;
      const isQueued = this.#isQueued;
      this.#isQueued = false;
      if (isQueued && !this.#isStopped) this.#begin();
    });
    this.#running = { abort, done };
  }

  async #run(abort: AbortController): Promise<void> {
    const { timeout, retries } = this.#context.props;
    const begun = performance.now();
    const timer = setTimeout(() => abort.abort(new Error(`it took longer than ${timeout} ms`)), timeout).unref();
    const aborted = new Promise<never>((_, reject) => {
      abort.signal.addEventListener("abort", () => reject(reasonOf(abort.signal)), { once: true });
    });
    aborted.catch(() => undefined);
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          // Work that does not heed the signal must not hold up all runs to come.
          await Promise.race([this.#work(abort.signal), aborted]);
          this.#log.debug("has run", { ms: Math.round(performance.now() - begun) });
          return;
        } catch (error) {
          if (abort.signal.aborted || attempt === retries) throw error;
          this.#log.warn("failed, and is tried again", { error, attempt: attempt + 1 });
          await Promise.race([pause(firstRetry * 2 ** attempt), aborted]);
        }
      }
    } catch (error) {
      this.#log.error(abort.signal.aborted ? "was aborted" : "failed", { error });
    } finally {
      clearTimeout(timer);
    }
  }
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, time).unref());
}

/** In milliseconds. */
const longestWait = 60_000;
const firstRetry = 1000;
