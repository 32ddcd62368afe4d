// Chooses some of very many at random.

/**
 * A countdown to the next one that is taken: most cost a comparison, and no random number. The distances are
 * distributed geometrically, as if a random number decided for each.
 */
export class Sampler {
  readonly #random: () => number;
  #perMillion = 0;
  #left = Infinity;

  /** `random`: from 0 to below 1. Default: `Math.random`. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Whether the next one is taken. `perMillion`: how many of a million are, from now on. */
  takesNext(perMillion: number): boolean {
    if (perMillion !== this.#perMillion) {
      this.#perMillion = perMillion;
      this.#left = this.#distance();
    }
    if (--this.#left > 0) return false;
    this.#left = this.#distance();
    return true;
  }

  #distance(): number {
    if (this.#perMillion <= 0) return Infinity;
    return 1 + Math.floor(Math.log(1 - this.#random()) / Math.log1p(-this.#perMillion / 1e6));
  }
}
