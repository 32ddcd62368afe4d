// How long to wait before a worker that has died is replaced: not at all, unless its predecessors died early, too.

/** In milliseconds. */
export class RestartDelay {
  #early = 0;

  /** `lived`: how long the worker that has died was there. */
  next(lived: number): number {
    this.#early = lived >= longLife ? 0 : this.#early + 1;
    return this.#early <= 1 ? 0 : Math.min(firstDelay * 2 ** (this.#early - 2), maxDelay);
  }
}

const longLife = 10_000;
const firstDelay = 100;
const maxDelay = 10_000;
