// Counts what a flood would fill the log with.

/**
 * Says how often something happened, ten seconds after it said so last or later. Needs no timer: the next time says the
 * rest.
 */
export class Tally {
  readonly #say: (count: number, detail: unknown) => void;
  #count = 0;
  #next = -Infinity;

  /** `say` writes the line; `detail` is that of the last time. */
  constructor(say: (count: number, detail: unknown) => void) {
    this.#say = say;
  }

  /** It happened. `now` in ms, of a clock that only goes on. */
  add(now: number, detail?: unknown): void {
    this.#count++;
    if (now < this.#next) return;
    this.#next = now + 10_000;
    this.#say(this.#count, detail);
    this.#count = 0;
  }
}
