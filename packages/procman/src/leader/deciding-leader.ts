// Which of two leaders decides about what all workers of the program share, while they change places: always one, and
// the other one asks it.
//
//   new leader   asks the old one ───────────────────────┬──> decides
//   old leader   decides ────────────> passes all on ────┴──> asks the new one, for its workers that finish their work

export class DecidingLeader<Other> {
  /** Who decides; `undefined`: this one. */
  #other: Other | undefined;
  /** Resolves when `#other` has all that was decided here. */
  #passedOn: Promise<void> = Promise.resolve();
  /** Resolves when all has arrived that the leader before has decided. */
  readonly #received = Promise.withResolvers<void>();

  /** `before`: decides until it has passed all on. Default: this one decides from the start. */
  constructor(before?: Other) {
    this.#other = before;
  }

  /** Who decides in the place of this one. */
  get other(): Other | undefined {
    return this.#other;
  }

  /**
   * Decides `here`, at once, or asks the other leader, which answers `null` if it has passed all on to this one, and
   * `undefined` if it has ended: then this one decides. Rejects as they do.
   */
  async decide<Result>(ask: (other: Other) => Promise<Result | null | undefined>, here: () => Result): Promise<Result> {
    const other = this.#other;
    if (other === undefined) return here();
    await this.#passedOn;
    const answer = await ask(other);
    if (answer === undefined) return here();
    if (answer !== null) return answer;
    await this.#received.promise;
    return await this.decide(ask, here);
  }

  /** From now on, `other` decides, which hears of nothing before `passed` is settled. Rejects as `passed`. */
  async passOn(other: Other, passed: Promise<void>): Promise<void> {
    this.#passedOn = passed.catch(() => {});
    this.#other = other;
    await passed;
  }

  /** The other leader has failed: this one decides again. */
  goOn(): void {
    this.#other = undefined;
  }

  /** Has got all that the leader before has decided: this one decides from now on. */
  takeOver(): void {
    this.#other = undefined;
    this.#received.resolve();
  }
}
