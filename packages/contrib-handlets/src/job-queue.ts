// A few jobs at once, a few more that wait, and no others.

/** Jobs start in the order in which they come. */
export class JobQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ maxRunning, maxWaiting }: { readonly maxRunning: number; readonly maxWaiting: number }) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs a job when it is its turn and gives what it gives; `undefined`, and the job is not run, if too many wait already. */
  async run<Value>(job: () => Promise<Value>): Promise<Value | undefined> {
    if (this.#running < this.#maxRunning) this.#running++;
    else if (this.#waiting.length < this.#maxWaiting) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else return undefined;
    try {
      return await job();
    } finally {
      // The place goes to the next one at once: nobody can take it in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
