// What all workers of the program have counted. Each tells once a second what has changed, and whenever it is asked.
// While two leaders change places, each counts for the other one like a worker.

import { CountSum, CountTeller, type CountNews, type CountReport } from "@hemi/hemi/base";

/** A worker process, as far as it is asked for its numbers. */
export interface CountedWorker {
  readonly state: "booting" | "ready" | "draining" | "ended";
  /** It tells its news to `take` before it answers. */
  call(name: "count", params: undefined): Promise<undefined>;
}

export class ProgramCounts {
  readonly #sum = new CountSum<CountedWorker>();
  readonly #workers: () => readonly CountedWorker[];

  constructor(workers: () => readonly CountedWorker[]) {
    this.#workers = workers;
  }

  take(worker: CountedWorker, news: CountNews): void {
    // What was under way when the process ended may still arrive.
    if (worker.state !== "ended") this.#sum.take(worker, news);
  }

  ended(worker: CountedWorker): void {
    this.#sum.ended(worker);
  }

  /** The sum as of now. A worker that does not answer in time is counted as it told last. */
  async total(): Promise<CountReport> {
    await this.#askAll();
    return await this.#sum.totalInSlices();
  }

  /** What has changed of the sum since the same teller told last. */
  async news(teller: CountTeller): Promise<readonly CountNews[]> {
    await this.#askAll();
    return teller.news(this.#sum.slices());
  }

  /** The whole sum, for one of them that adds its own numbers. */
  async newsWithout(asker: CountedWorker): Promise<readonly CountNews[]> {
    await this.#askAll(asker);
    return new CountTeller().news(this.#sum.slices(asker));
  }

  async #askAll(leftOut?: CountedWorker): Promise<void> {
    const asked = this.#workers().filter((worker) => worker !== leftOut);
    await Promise.all(asked.map((worker) => this.#ask(worker)));
  }

  async #ask(worker: CountedWorker): Promise<void> {
    if (worker.state !== "ready" && worker.state !== "draining") return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, askTime);
    try {
      await Promise.race([worker.call("count", undefined), late]);
    } catch {
      // It has ended meanwhile.
    } finally {
      clearTimeout(timer);
    }
  }
}

/** In ms. */
const askTime = 1000;
