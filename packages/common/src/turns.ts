// Lets so many jobs run at once, and the others wait in order.

export class Turns {
  readonly #max: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Runs a job when it is its turn. Gives what it gives, and throws what it throws. */
  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#max) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.#waiting.shift();
      // Who waits takes over the turn.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
