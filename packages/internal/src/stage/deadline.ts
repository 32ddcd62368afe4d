// A moment that waits are not to go past. One timer, however many wait.

export class Deadline implements Disposable {
  readonly #late: Promise<"late">;
  readonly #timer: NodeJS.Timeout;

  /** @param at In milliseconds since the epoch; one that has passed is late at once. */
  constructor(at: number) {
    const { promise, resolve } = Promise.withResolvers<"late">();
    this.#late = promise;
    // Timers cannot be set farther than this; nobody waits for 24 days.
    this.#timer = setTimeout(() => resolve("late"), Math.min(Math.max(at - Date.now(), 0), 2 ** 31 - 1));
  }

  /** What comes of the work, or `late`. What comes of it afterwards, errors too, is ignored. */
  race(work: void | Promise<void>): Promise<"late" | void> {
    return work === undefined ? Promise.resolve() : Promise.race([work, this.#late]);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
