// How long an event loop has stood still, as a thread beside it sees by looking again and again.
//
// Time counts only as far as the thread itself ran: while the whole process or machine stands (a signal, a snapshot of
// a virtual machine, no processor to be had), its event loop cannot turn, and is not stuck. Time in which the loop
// waits for a processor, while this thread, which needs little, gets one, counts for a quarter at least: to replace
// the worker would take even more of a machine that has too much to do.

export class StallClock {
  readonly #longestStep: number;
  #lastBeat: number | undefined;
  #lastLook: number;
  /** Since the loop turned last: as much of the time as counts, and how much of it the loop waited for a processor. */
  #passed = 0;
  #queued = 0;
  #lastQueued: number;

  /**
   * `interval`: between two looks, in milliseconds. `now`: in milliseconds, of a clock that runs forward only.
   * `queued`: how long the loop has waited for a processor since its start, in milliseconds.
   */
  constructor(interval: number, now: number, queued = 0) {
    // A look that comes late counts twice at most.
    this.#longestStep = 2 * interval;
    this.#lastLook = now;
    this.#lastQueued = queued;
  }

  /** Since the last look, in milliseconds: as much of it as counts. `beat`: 0 while the loop may stand. */
  look(now: number, beat: number, queued = 0): number {
    const passed = Math.min(now - this.#lastLook, this.#longestStep);
    this.#lastLook = now;
    const stands = beat === this.#lastBeat && beat !== 0;
    this.#passed = stands ? this.#passed + passed : 0;
    // A wait is told when it is over, which may be some looks later.
    this.#queued = stands ? this.#queued + queued - this.#lastQueued : 0;
    this.#lastQueued = queued;
    this.#lastBeat = beat;
    return passed;
  }

  /** How long the loop has stood still, in milliseconds. */
  get stood(): number {
    return Math.max(this.#passed - this.#queued, this.#passed / 4);
  }
}
