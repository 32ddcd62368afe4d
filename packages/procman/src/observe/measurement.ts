// What `hemi loop` and `hemi gc` ask of a worker, and what they get: durations in buckets.

import { HemiError } from "@hemi/hemi/base";
import { readPeriod, readSlot } from "./profile-order.ts";

/** `loop`: how late the event loop comes to a timer. `gc`: how long it stands still for garbage collections. */
const measurementKinds = ["loop", "gc"] as const;
export type MeasurementKind = (typeof measurementKinds)[number];

export interface MeasurementOrder {
  readonly kind: MeasurementKind;
  readonly slot: number;
  /** How long it is measured, in ms. */
  readonly period: number;
}

export interface Measurement {
  readonly kind: MeasurementKind;
  readonly slot: number;
  readonly pid: number;
  /** How long it was measured, in ms. */
  readonly period: number;
  /** By what was measured: `delay` for the loop; for garbage collections their kinds. */
  readonly durations: Readonly<Record<string, DurationCounts>>;
}

/** Durations in ms. */
export interface DurationCounts {
  readonly count: number;
  readonly sum: number;
  readonly longest: number;
  /** One for each of `measuredBounds`, then one for what is longer. A bound belongs to its bucket. */
  readonly buckets: readonly number[];
}

/** The upper bounds of the buckets, in ms. */
export const measuredBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000] as const;

/** Counts durations. */
export class DurationCounter implements DurationCounts {
  readonly buckets = new Array<number>(measuredBounds.length + 1).fill(0);
  count = 0;
  sum = 0;
  longest = 0;

  /** In ms. */
  add(duration: number): void {
    const found = measuredBounds.findIndex((bound) => duration <= bound);
    const bucket = found < 0 ? measuredBounds.length : found;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.count++;
    this.sum += duration;
    this.longest = Math.max(this.longest, duration);
  }

  /** As plain data. */
  counts(): DurationCounts {
    const { count, sum, longest, buckets } = this;
    return { count, sum, longest, buckets: [...buckets] };
  }
}

/** Checks what a client of the control socket sends. Throws HEMI_USAGE. */
export function readMeasurementOrder(params: unknown): MeasurementOrder {
  const { kind, slot, period }: Partial<Record<keyof MeasurementOrder, unknown>> =
    typeof params === "object" && params !== null ? params : {};
  const known = measurementKinds.find((one) => one === kind);
  if (known === undefined) throw new HemiError("HEMI_USAGE", `kind is one of ${measurementKinds.join(", ")}`);
  return { kind: known, slot: readSlot(slot), period: readPeriod(period) };
}
