// How long an event loop has stood still, as a thread beside it sees by looking again and again.
//
// Time counts only as far as the thread itself ran: while the whole process or machine stands (a signal, a snapshot of
// a virtual machine, no processor to be had), its event loop cannot turn, and is not stuck.

export class StallClock {
  readonly #longestStep: number;
  #lastBeat: number | undefined;
  #lastLook: number;
  #stood = 0;

  /** `interval`: between two looks, in milliseconds. `now`: in milliseconds, of a clock that runs forward only. */
  constructor(interval: number, now: number) {
    // A look that comes late counts twice at most.
    this.#longestStep = 2 * interval;
    this.#lastLook = now;
  }

  /** Since the last look, in milliseconds: as much of it as counts. `beat`: 0 while the loop may stand. */
  look(now: number, beat: number): number {
    const passed = Math.min(now - this.#lastLook, this.#longestStep);
    this.#lastLook = now;
    this.#stood = beat === this.#lastBeat && beat !== 0 ? this.#stood + passed : 0;
    this.#lastBeat = beat;
    return passed;
  }

  /** How long the loop has stood still, in milliseconds. */
  get stood(): number {
    return this.#stood;
  }
}
