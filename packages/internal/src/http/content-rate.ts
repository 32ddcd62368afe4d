// Whether a request's content comes as fast as it must, on average over the time that it is waited for: a handlet that
// does not read is no fault of its client, and neither is a process that stands.

import type { CodecServer, CodecSettings } from "./codec-server.ts";

interface RateServer extends Pick<CodecServer, "monotonic" | "stood"> {
  readonly settings: Pick<CodecSettings, "minContentRate" | "contentRateGrace">;
}

/** Judges whether content comes as fast as `minContentRate` demands, over the time in which a reader waited for it. */
export class ContentRate {
  /** In ms. */
  #waited = 0;
  /** In ms, see `timeOf`. */
  #waitingSince = 0;

  /** A reader waits from now on. */
  waitFrom(server: RateServer): void {
    this.#waitingSince = timeOf(server);
  }

  /** Some has come while a reader waits. `received`: of all of the content, in bytes. */
  isTooSlow(received: number, server: RateServer): boolean {
    const { minContentRate, contentRateGrace } = server.settings;
    const now = timeOf(server);
    this.#waited += now - this.#waitingSince;
    this.#waitingSince = now;
    return this.#waited > contentRateGrace && received * 1000 < minContentRate * this.#waited;
  }
}

/** Of a clock that stands still with the process. */
function timeOf(server: RateServer): number {
  return server.monotonic() - server.stood;
}
