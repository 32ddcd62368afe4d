// A slot: the place of one worker. It always has a worker, or waits for the next one.

import { HemiError, type ErrorLog } from "@hemi/hemi/base";
import type { RunningConfig } from "../channel/calls.ts";
import { RestartDelay } from "./restart-delay.ts";
import { hasLeft } from "./worker-answers.ts";
import type { WorkerProcess } from "./worker-process.ts";

export interface SlotOptions {
  readonly number: number;
  /** Starts a process, which is not booted yet. */
  readonly start: (slot: number) => WorkerProcess;
  /** Boots it with the configuration that runs. */
  readonly boot: (worker: WorkerProcess, config?: RunningConfig) => Promise<RunningConfig>;
  /** Runs a step after all steps of the program before it: no worker is replaced in the middle of a reload. */
  readonly inTurn: (step: () => Promise<void>) => Promise<void>;
  /** A worker became ready, or ended. */
  readonly changed: () => void;
  readonly log: ErrorLog;
}

export class Slot {
  readonly #options: SlotOptions;
  readonly #delay = new RestartDelay();
  #worker: WorkerProcess | undefined;
  /** A process for the next worker, which was started ahead. */
  #next: WorkerProcess | undefined;
  /** Workers that finish their work. */
  readonly #former = new Set<WorkerProcess>();
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** The worker, if it is ready. */
  get ready(): WorkerProcess | undefined {
    return this.#worker?.state === "ready" ? this.#worker : undefined;
  }

  /** All processes of the slot, the newest first. */
  get processes(): readonly WorkerProcess[] {
    return [...(this.#worker === undefined ? [] : [this.#worker]), ...this.#former];
  }

  /** Starts the process of the next worker ahead, so that it loads its modules while others boot. */
  startAhead(): void {
    this.#next ??= this.#startProcess();
  }

  /**
   * Starts a worker; when it is ready, the one before it finishes its work within `grace` milliseconds. Resolves when
   * new connections reach the new one only. Rejects if the new one does not get
   * ready, or if the slot is closed: the one before it stays.
   */
  async renew(grace: number, config?: RunningConfig): Promise<RunningConfig> {
    const { boot, changed } = this.#options;
    const worker = this.#next ?? this.#startProcess();
    this.#next = undefined;
    const running = await boot(worker, config).catch((error: unknown) => {
      this.#former.delete(worker);
      throw error;
    });
    this.#former.delete(worker);
    const before = this.#worker;
    this.#worker = worker;
    void this.#watch(worker);
    changed();
    if (before !== undefined) {
      this.#former.add(before);
      void before.quit(grace).then(() => this.#former.delete(before));
      await hasLeft(before);
    }
    return running;
  }

  /** Lets all processes of the slot finish their work within `grace` milliseconds, and starts none anew. */
  async quit(grace: number): Promise<void> {
    this.#close();
    await Promise.all(this.processes.map((worker) => worker.quit(grace)));
  }

  /** Ends all processes at once. */
  async stop(): Promise<void> {
    this.#close();
    await Promise.all(this.processes.map((worker) => worker.stop()));
  }

  #startProcess(): WorkerProcess {
    if (this.#isClosed) throw new HemiError("HEMI_PROCESS", "the program is ending");
    const worker = this.#options.start(this.#options.number);
    this.#former.add(worker);
    return worker;
  }

  #close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #watch(worker: WorkerProcess): Promise<void> {
    const reason = await worker.ended;
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#options.changed();
    if (this.#isClosed) return;
    const { log, number } = this.#options;
    log.error(`worker ${number} ${reason}, and is replaced`, { pid: worker.pid });
    this.#replace(worker.age);
  }

  #replace(lived: number): void {
    if (this.#isClosed) return;
    const delay = this.#delay.next(lived);
    const { log, number, inTurn } = this.#options;
    if (delay > 0) log.warn(`worker ${number} ended early several times: the next one starts in ${delay} ms`);
    this.#timer = setTimeout(() => {
      const from = performance.now();
      void inTurn(async () => {
        if (this.#isClosed || this.#worker !== undefined) return;
        try {
          await this.renew(0);
        } catch (error) {
          log.error(`worker ${number} could not be replaced`, { error });
          this.#replace(performance.now() - from);
        }
      });
    }, delay);
  }
}
