// What the pages show of the moment: asked of the leader once a second while somebody looks, for all tabs together.

import { setTimeout as sleep } from "node:timers/promises";
import type { Pulse, PulseParams } from "./calls.ts";

export class Pulses {
  readonly #read: (params: PulseParams) => Promise<Pulse>;
  readonly #followers = new Set<() => void>();
  /** The last entries that a pulse had. */
  #known: PulseParams = { logAfter: 0, auditAfter: 0 };
  #latest: Pulse | undefined;
  #isRunning = false;

  constructor(read: (params: PulseParams) => Promise<Pulse>) {
    this.#read = read;
  }

  /** How many look. */
  get size(): number {
    return this.#followers.size;
  }

  /** The last one; `undefined` before the first. It is old if nobody looks. */
  get latest(): Pulse | undefined {
    return this.#latest;
  }

  /**
   * Each new pulse, until the signal is aborted. Nothing is kept for who is slow: it gets the newest one when it is
   * ready for it.
   */
  async *follow(signal: AbortSignal): AsyncIterable<Pulse> {
    let seen: Pulse | undefined;
    let wake = (): void => {};
    const woken = (): void => wake();
    this.#followers.add(woken);
    signal.addEventListener("abort", woken);
    void this.#run();
    try {
      while (!signal.aborted) {
        const pulse = this.#latest;
        if (pulse !== undefined && pulse !== seen && Date.now() - pulse.time < maxAge) {
          seen = pulse;
          yield pulse;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#followers.delete(woken);
      signal.removeEventListener("abort", woken);
    }
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#followers.size > 0) {
      try {
        const pulse = await this.#read(this.#known);
        const { logAfter, auditAfter } = this.#known;
        this.#known = {
          logAfter: pulse.log.at(-1)?.number ?? logAfter,
          auditAfter: pulse.audit.at(-1)?.number ?? auditAfter,
        };
        this.#latest = pulse;
        for (const wake of [...this.#followers]) wake();
      } catch {
        // The leader is ending, or a worker did not answer: the pages see that nothing comes.
      }
      await sleep(interval);
    }
    this.#isRunning = false;
  }
}

/** In ms. */
const interval = 1000;
const maxAge = 3000;
