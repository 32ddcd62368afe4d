// What all workers of the program have counted. Each tells once a second what has changed, and whenever it is asked.
// While two leaders change places, each counts for the other one like a worker.

import { CountSum, type CountReport } from "@hemi/hemi/base";

/** A worker process, as far as it is asked for its numbers. */
export interface CountedWorker {
  readonly state: "booting" | "ready" | "draining" | "ended";
  call(name: "count", params: undefined): Promise<CountReport>;
}

export class ProgramCounts {
  readonly #sum = new CountSum<CountedWorker>();
  readonly #workers: () => readonly CountedWorker[];

  constructor(workers: () => readonly CountedWorker[]) {
    this.#workers = workers;
  }

  take(worker: CountedWorker, report: CountReport): void {
    // What was under way when the process ended may still arrive.
    if (worker.state !== "ended") this.#sum.take(worker, report);
  }

  ended(worker: CountedWorker): void {
    this.#sum.ended(worker);
  }

  /** The sum as of now. A worker that does not answer in time is counted as it told last. */
  async total(): Promise<CountReport> {
    return await this.totalWithout(undefined);
  }

  /** For one of them that adds its own numbers. */
  async totalWithout(asker: CountedWorker | undefined): Promise<CountReport> {
    const asked = this.#workers().filter((worker) => worker !== asker);
    await Promise.all(asked.map((worker) => this.#ask(worker)));
    return this.#sum.total(asker);
  }

  async #ask(worker: CountedWorker): Promise<void> {
    if (worker.state !== "ready" && worker.state !== "draining") return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, askTime);
    try {
      const asked = worker.call("count", undefined).then((report) => this.take(worker, report));
      await Promise.race([asked, late]);
    } catch {
      // It has ended meanwhile.
    } finally {
      clearTimeout(timer);
    }
  }
}

/** In ms. */
const askTime = 1000;
