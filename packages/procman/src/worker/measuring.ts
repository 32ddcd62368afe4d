// Measures this worker for a while: how late its event loop is, or how long its garbage collections take.

import { constants, PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { HemiError } from "@hemi/hemi";
import {
  DurationCounter,
  type Measurement,
  type MeasurementKind,
  type MeasurementOrder,
} from "../observe/measurement.ts";

type Durations = ReadonlyMap<string, DurationCounter>;

export class Measuring {
  #running = 0;

  /** Rejects with HEMI_PROCESS if others measure it already. */
  async measure({ kind, slot, period }: MeasurementOrder): Promise<Measurement> {
    if (this.#running >= maxRunning) {
      throw new HemiError(
        "HEMI_PROCESS",
        `worker ${slot} is measured ${maxRunning} times already: wait until that is done`,
      );
    }
    this.#running++;
    const began = performance.now();
    try {
      const durations = await measurers[kind](period);
      const counts = [...durations].map(([name, counter]) => [name, counter.counts()] as const);
      const time = performance.now() - began;
      return { kind, slot, pid: process.pid, period: time, durations: Object.fromEntries(counts) };
    } finally {
      this.#running--;
    }
  }
}

const measurers: Readonly<Record<MeasurementKind, (period: number) => Promise<Durations>>> = {
  /** How much later than it wanted a timer is called. */
  async loop(period) {
    const delay = new DurationCounter();
    const end = performance.now() + period;
    for (let now = performance.now(); now < end;) {
      await sleep(tick);
      const later = performance.now();
      // Timers are up to 1 ms late without any load.
      delay.add(Math.max(0, later - now - tick - 1));
      now = later;
    }
    return new Map([["delay", delay]]);
  },
  async gc(period) {
    const counters = new Map<string, DurationCounter>();
    const take = (entries: readonly PerformanceEntry[]): void => {
      for (const entry of entries) {
        const name = kindOf(entry);
        const counter = counters.get(name) ?? new DurationCounter();
        counters.set(name, counter);
        counter.add(entry.duration);
      }
    };
    const observer = new PerformanceObserver((list) => take(list.getEntries()));
    observer.observe({ entryTypes: ["gc"] });
    try {
      await sleep(period);
      take(observer.takeRecords());
    } finally {
      observer.disconnect();
    }
    return counters;
  },
};

function kindOf(entry: PerformanceEntry): string {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  const kind = typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
  return gcKinds.get(kind) ?? "other";
}

const gcKinds: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, "young objects"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "all objects"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "steps of marking"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "callbacks of weak references"],
]);

/** In ms: the time between two timers. */
const tick = 5;
const maxRunning = 4;
