// What a client may do, and what costs us more than it: frames that bring nothing, streams that are reset. Some of it
// is in order; a flood of it is an attack (CVE-2019-9512 to 9518, CVE-2023-44487, CVE-2025-8671).

/**
 * Limits what a peer may spend: `max` tokens at first, and never more than that. They are refilled at a constant rate,
 * and by `earn`.
 */
export class TokenBucket {
  readonly #max: number;
  readonly #recoveryTime: number;
  readonly #monotonic: () => number;
  #left: number;
  #at: number;

  /** What was spent comes back with time: all of `max` in `recoveryTime` ms. */
  constructor(max: number, recoveryTime: number, monotonic: () => number) {
    this.#max = max;
    this.#recoveryTime = recoveryTime;
    this.#monotonic = monotonic;
    this.#left = max;
    this.#at = monotonic();
  }

  /** False: there was too much of it. */
  spend(amount = 1): boolean {
    if (this.#left < amount) {
      const now = this.#monotonic();
      this.earn(((now - this.#at) / this.#recoveryTime) * this.#max);
      this.#at = now;
      if (this.#left < amount) return false;
    }
    this.#left -= amount;
    return true;
  }

  /** Something of use was done meanwhile. */
  earn(amount: number): void {
    this.#left = Math.min(this.#max, this.#left + amount);
  }
}

/** Frames that bring nothing which are in order with each request. */
export const idleFramesOfRequest = 4;

/** In bytes: so much content accounts for one frame that brings nothing. */
export const contentOfIdleFrame = 128;
