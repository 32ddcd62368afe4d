// Work by a schedule: one worker of the program does it, the primary one.
//
//   waiting ──time comes──> running (job-run.ts) ──ends──> waiting
//      ^                      │ the time comes again: `overlap`
//      └── another worker is primary: nothing is done

import { join } from "node:path";
import { afterRunning } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Part } from "../../component/part.ts";
import { clockDifference, JobRun, type RunContext, type Work } from "./job-run.ts";
import type { ManagedCronjob } from "./managed-cronjob.ts";
import { RunHistory, type RunCause, type RunRecord } from "./run-history.ts";
import { lastTimeBetween, parseSchedule, type Schedule } from "./schedule.ts";

/** The part of a cronjob that runs by a schedule: `create: (context) => new ScheduledWork(context, work)`. */
export class ScheduledWork implements Part, ManagedCronjob {
  readonly #context: RunContext;
  readonly #work: Work;
  readonly #abortTime: number;
  readonly #schedule: Schedule;
  readonly #history: RunHistory;
  /** The time by the schedule, and when the run begins, which is later with `jitter`. */
  #next: { readonly due: number; readonly at: number } | undefined;
  /** By the schedule, the last time that has come. */
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: { readonly run: JobRun; readonly done: Promise<RunRecord> } | undefined;
  /** The time of a run that waits for the end of the current one. */
  #queued: number | undefined;
  #isStopped = false;
  #wasPrimary = false;
  #unsubscribe: (() => void) | undefined;

  /**
   * `abortTime`: how long work may take to end when it is aborted, in milliseconds; until then, its run is not over.
   * Default: 1 s. Throws HEMI_USAGE for a schedule that `checkCronProps` reports.
   */
  constructor(context: RunContext, work: Work, abortTime = 1000) {
    this.#context = context;
    this.#work = work;
    this.#abortTime = abortTime;
    const { schedule, zone, historyFolder, maxHistory } = context.props;
    this.#schedule = parseSchedule(schedule, zone);
    this.#history = new RunHistory({
      file: join(historyFolder, `${encodeURIComponent(context.path)}.jsonl`),
      max: maxHistory,
      now: () => context.stage.clock.now(),
      failed: (error) => context.log.warn("its history cannot be written", { error }),
    });
  }

  /** Waits for the first time of the schedule. */
  start(): void {
    const { workers, props } = this.#context;
    this.#wasPrimary = workers.isPrimary;
    this.#unsubscribe = workers.onChange(() => this.#standingChanged());
    if (workers.isPrimary && props.missed === "run") void this.#catchUp(Infinity);
    this.#plan();
  }

  /** Begins no run any more, and settles when the one under way has ended; it is aborted at the deadline. */
  async drain(deadline: number): Promise<void> {
    this.#isStopped = true;
    this.#queued = undefined;
    this.#unsubscribe?.();
    clearTimeout(this.#timer);
    const running = this.#running;
    if (running === undefined) return;
    const forget = afterRunning(deadline - Date.now(), () => running.run.abort(new Error("the program ends")));
    await running.done;
    forget();
  }

  shutdown(): Promise<void> {
    return this.drain(0);
  }

  // ---- for `hemi cron` ----

  get schedule(): string {
    return this.#context.props.schedule;
  }

  get zone(): string | undefined {
    return this.#context.props.zone;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  nextTime(after: number): number | undefined {
    return this.#schedule.next(after);
  }

  history(): Promise<readonly RunRecord[]> {
    return this.#history.read();
  }

  async runNow(): Promise<RunRecord> {
    if (this.#isStopped) throw new HemiError("HEMI_STAGE_STATE", "the program ends");
    if (this.#running !== undefined) throw new HemiError("HEMI_USAGE", `${this.#context.path} is running already`);
    return await this.#begin(this.#now, "command");
  }

  // ---- times ----

  get #now(): number {
    return this.#context.stage.clock.now();
  }

  #plan(): void {
    const now = this.#now;
    // A clock that is put right brings the same times again, which have had their runs; one that was far ahead must not
    // hold up all runs until then.
    const isPutBack = this.#lastDue > now && this.#lastDue - now <= clockDifference;
    const due = this.#schedule.next(isPutBack ? this.#lastDue : now);
    if (due === undefined) return this.#context.log.info("has no time to run any more");
    this.#next = { due, at: due + Math.floor(Math.random() * (this.#context.props.jitter + 1)) };
    this.#wait();
  }

  /** In short steps: the clock may jump, and no timer waits for longer than 24 days. */
  #wait(): void {
    const left = (this.#next?.at ?? 0) - this.#now;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(left, 1), longestWait)).unref();
  }

  #look(): void {
    if (this.#next === undefined) return;
    const { due, at } = this.#next;
    const now = this.#now;
    const isLongBefore = now < due - longestWait * 2 && this.#schedule.next(now) !== due;
    if (now < at) return isLongBefore ? this.#plan() : this.#wait();
    this.#lastDue = due;
    if (this.#context.workers.isPrimary) this.#timeHasCome(due, "schedule");
    this.#plan();
  }

  /** A time may have passed while the primary worker was being replaced. */
  #standingChanged(): void {
    const { isPrimary } = this.#context.workers;
    const hasBecomePrimary = isPrimary && !this.#wasPrimary;
    this.#wasPrimary = isPrimary;
    if (hasBecomePrimary) void this.#catchUp(takeOverTime);
  }

  /** Runs once for the times since the last run, if the latest of them is not older than `maxAge`. */
  async #catchUp(maxAge: number): Promise<void> {
    const last = (await this.#history.read()).findLast(({ cause }) => cause !== "command");
    if (last === undefined || this.#isStopped) return;
    const now = this.#now;
    const missed = lastTimeBetween(this.#schedule, Math.max(last.due, now - maxAge), now);
    if (missed === undefined || this.#running !== undefined) return;
    this.#context.log.info("runs now, because its time has passed", { due: new Date(missed).toISOString() });
    this.#timeHasCome(missed, "missed");
  }

  // ---- runs ----

  #timeHasCome(due: number, cause: RunCause): void {
    if (this.#running === undefined) return void this.#begin(due, cause);
    const { overlap } = this.#context.props;
    if (overlap === "skip") {
      this.#context.log.warn("still runs when its time comes again, and is not begun once more");
      this.#history.begin(due, cause)({ outcome: "skipped", attempts: 0 });
      return;
    }
    this.#queued = due;
    if (overlap === "replace") this.#running.run.abort(new Error("its time has come again"));
  }

  #begin(due: number, cause: RunCause): Promise<RunRecord> {
    const run = new JobRun(this.#context, { work: this.#work, abortTime: this.#abortTime, due, cause });
    const ended = this.#history.begin(due, cause);
    const done = run.run().then((end) => {
      const record = ended(end);
      this.#running = undefined;
      const queued = this.#queued;
      this.#queued = undefined;
      if (queued !== undefined && !this.#isStopped) void this.#begin(queued, "schedule");
      return record;
    });
    this.#running = { run, done };
    return done;
  }
}

/** In milliseconds. */
const longestWait = 60_000;
/** How long nobody may be primary while workers are replaced, in milliseconds. */
const takeOverTime = 60_000;
