// Watches the event loop of this process from a thread of its own. A loop that stands still for too long is reported
// with the line of code where it stands, and the process is killed: its supervisor replaces it. When the supervisor is
// gone, nobody else would end such a process: then the thread kills it, too.
//
// The thread sees JavaScript and regular expressions. A synchronous call into native code cannot be interrupted: then
// the report says so.

import { Worker } from "node:worker_threads";
import type { WatchedLoop } from "./stall-thread.ts";

export interface WatchOptions {
  /** How long the loop may stand still, in milliseconds; 0: for ever. */
  readonly limit: number;
  /** How long the process may need to end in order when its supervisor is gone, in milliseconds. */
  readonly grace: number;
  /** Of the report, which is written to standard error. */
  readonly format: "text" | "json";
}

/** As it has told in the arguments: it may have ended before this process could ask for its parent. */
const supervisor = Number(process.argv[2]);

/** Made before modules of the user are loaded. The loop may stand still until `start`: they may take long to load. */
export class LoopWatch {
  readonly #beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #limit: number;
  readonly #thread: Worker;
  #timer: NodeJS.Timeout | undefined;

  constructor({ limit, grace, format }: WatchOptions) {
    this.#limit = limit;
    const watched: WatchedLoop = { beats: this.#beats, limit, format, supervisor, grace };
    this.#thread = new Worker(new URL(import.meta.resolve("@hemi/procman/stall-thread")), {
      workerData: watched,
      // The thread needs little, and shall not grow beside the heap of the process.
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    this.#thread.unref();
  }

  /** From now on, the loop must turn. */
  start(): void {
    const beat = (): void => void Atomics.add(this.#beats, 0, 1);
    beat();
    this.#timer ??= setInterval(beat, Math.min(Math.max(this.#limit / 4, 10), 500)).unref();
  }

  /** The loop may stand still, until the next `start`. */
  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    Atomics.store(this.#beats, 0, 0);
  }

  end(): void {
    this.pause();
    void this.#thread.terminate();
  }
}
