// Replaces workers that use too much memory (--max-memory), one after the other and in order: the next one is ready
// before the one above the limit finishes its work.

import type { ErrorLog } from "@hemi/hemi/base";
import { RestartDelay } from "./restart-delay.ts";
import type { Slot } from "./slot.ts";
import type { WorkerProcess } from "./worker-process.ts";

export interface MemoryLimitOptions {
  /** In bytes of resident memory. */
  readonly max: number;
  readonly slots: readonly Slot[];
  /** Replaces the worker of a slot in its turn, unless another one is there by then. */
  readonly replace: (slot: Slot, worker: WorkerProcess) => Promise<void>;
  readonly log: ErrorLog;
}

export class MemoryLimit {
  readonly #options: MemoryLimitOptions;
  /** `notBefore`: on the monotonic clock. */
  readonly #delays = new Map<Slot, { readonly delay: RestartDelay; notBefore: number }>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(options: MemoryLimitOptions) {
    this.#options = options;
    for (const slot of options.slots) this.#delays.set(slot, { delay: new RestartDelay(), notBefore: 0 });
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const slot of this.#options.slots) await this.#lookAt(slot);
    this.#isLooking = false;
  }

  async #lookAt(slot: Slot): Promise<void> {
    const { max, replace, log } = this.#options;
    const worker = slot.ready;
    const state = this.#delays.get(slot);
    if (worker === undefined || state === undefined || performance.now() < state.notBefore) return;
    const memory = await worker.call("usage", undefined).then(
      ({ rss }) => rss,
      () => 0,
    );
    if (memory <= max) return;
    log.warn(`worker ${worker.slot} uses more memory than --max-memory, and is replaced`, { memory, max });
    // A limit that a new worker is above, too, must not make the program replace workers all the time.
    state.notBefore = performance.now() + state.delay.next(worker.age);
    await replace(slot, worker).catch((error: unknown) =>
      log.error(`worker ${worker.slot} could not be replaced, and goes on`, { error }),
    );
  }
}

/** In milliseconds. */
const interval = 1000;
