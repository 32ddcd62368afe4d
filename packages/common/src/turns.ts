// Runs a limited number of jobs at once; others wait in order.

export class Turns {
  readonly #max: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs a job in its turn. Resolves or rejects like the job. */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#max) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      // A waiting job takes over the turn.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
