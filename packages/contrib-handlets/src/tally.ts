// Counts what a flood would fill the log with.

/**
 * Says how often something happened, ten seconds after it said so last or later. Needs no timer: the next time says the
 * rest.
 */
export class Tally {
  readonly #say: (count: number) => void;
  #count = 0;
  #next = -Infinity;

  constructor(say: (count: number) => void) {
    this.#say = say;
  }

  /** `now` in ms, of a clock that only goes on. */
  add(now: number): void {
    this.#count++;
    if (now < this.#next) return;
    this.#next = now + 10_000;
    this.#say(this.#count);
    this.#count = 0;
  }
}
