// Whether a request's content comes as fast as it must, on average over the time that it is waited for: a handlet that
// does not read is no fault of its client.

import type { CodecSettings } from "./codec-server.ts";

type RateSettings = Pick<CodecSettings, "minContentRate" | "contentRateGrace">;

/** Judges whether content comes as fast as `minContentRate` demands, over the time in which a reader waited for it. */
export class ContentRate {
  /** In ms. */
  #waited = 0;
  /** On the monotonic clock. */
  #waitingSince = 0;

  /** A reader waits from now on. */
  waitFrom(now: number): void {
    this.#waitingSince = now;
  }

  /** Some has come while a reader waits. `received`: of all of the content, in bytes. */
  isTooSlow(received: number, now: number, settings: RateSettings): boolean {
    const { minContentRate, contentRateGrace } = settings;
    this.#waited += now - this.#waitingSince;
    this.#waitingSince = now;
    return this.#waited > contentRateGrace && received * 1000 < minContentRate * this.#waited;
  }
}
