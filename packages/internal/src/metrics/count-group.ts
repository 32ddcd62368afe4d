// A group of numbers that are counted together, as one slice of a typed array: its layout, and what each number means.

/** One number. Several numbers of one metric differ by their own labels. */
export interface NumberSpec {
  /** Whether it only ever rises (`counter`), or falls as well (`gauge`). */
  readonly type: "counter" | "gauge";
  /** The name of its metric, with the unit, without the `_total` of counters. */
  readonly metric: string;
  /** What it means, in one line, for people. */
  readonly help: string;
  /** Its own labels, such as `status`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Durations: the counts of the buckets of `durationBounds`, then one for all longer ones, then the sum in seconds. */
export interface DurationSpec {
  /** Tells it from a `NumberSpec`. */
  readonly type: "durations";
  /** The name of its metric, with the unit, which is seconds. */
  readonly metric: string;
  /** What it means, in one line, for people. */
  readonly help: string;
}

/** What one name of a group stands for: one number, or the numbers of durations. */
export type SeriesSpec = NumberSpec | DurationSpec;

/** The layout of a group. All slices of a group have it; they differ in the values of the labels. */
export interface CountGroup<Name extends string = string> {
  /** Unique among the groups. */
  readonly name: string;
  /** The names of the labels that tell the slices apart. Their values are names and signs of the configuration. */
  readonly labels: readonly string[];
  /** What is counted, by name. */
  readonly series: Readonly<Record<Name, SeriesSpec>>;
  /** Where in a slice each number is; of durations, the first bucket. */
  readonly at: Readonly<Record<Name, number>>;
  /** Numbers of a slice. */
  readonly size: number;
}

/** Lays out a group: the numbers stand in the order of `series`. */
export function countGroup<const Name extends string>(
  name: string,
  labels: readonly string[],
  series: Readonly<Record<Name, SeriesSpec>>,
): CountGroup<Name> {
  const at: Partial<Record<Name, number>> = {};
  let size = 0;
  for (const key in series) {
    at[key] = size;
    size += series[key].type === "durations" ? durationSize : 1;
  }
  if (!isComplete(at, series)) throw new TypeError(`the group ${name} has no layout`);
  return { name, labels, series, at, size };
}

function isComplete<Name extends string>(
  at: Partial<Record<Name, number>>,
  series: Readonly<Record<Name, unknown>>,
): at is Record<Name, number> {
  return Object.keys(series).every((key) => Object.hasOwn(at, key));
}

/** The upper bounds of the buckets of durations, in seconds. A bound belongs to its bucket. */
export const durationBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

const boundsInMs = durationBounds.map((bound) => bound * 1000);

/** The numbers of durations in a slice. */
const durationSize = durationBounds.length + 2;
/** Where the sum is, from the first bucket on. */
export const durationSumAt = durationSize - 1;

/** The bucket of a duration in ms, from 0. */
export function bucketOf(duration: number): number {
  let bucket = 0;
  while (bucket < boundsInMs.length && duration > (boundsInMs[bucket] ?? Infinity)) bucket++;
  return bucket;
}

/** Counts a duration in ms, `times` times. `at`: where the durations begin in the slice. */
export function countDuration(numbers: Float64Array, at: number, duration: number, times = 1): void {
  increase(numbers, at + bucketOf(duration), times);
  increase(numbers, at + durationSumAt, (duration * times) / 1000);
}

/** Adds to a number of a slice. */
export function increase(numbers: Float64Array, at: number, amount = 1): void {
  numbers[at] = (numbers[at] ?? 0) + amount;
}
