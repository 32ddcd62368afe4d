// Reports of a program, one after the other, as what has happened between them.

import type { CountReport } from "@hemi/hemi/base";
import { activityOf, type Activity } from "./activity.ts";

export class Samples {
  readonly #read: () => Promise<CountReport>;
  #before: CountReport = [];
  #at = 0;

  /** `read`: the numbers as of now. */
  constructor(read: () => Promise<CountReport>) {
    this.#read = read;
  }

  /** What happened since the last call; at first since the start, as if that were long ago. */
  async next(): Promise<Activity> {
    const report = await this.#read();
    const now = performance.now();
    const activity = activityOf(this.#before, report, Math.max(1, now - this.#at) / 1000);
    this.#before = report;
    this.#at = now;
    return activity;
  }
}
