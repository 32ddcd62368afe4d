// What the components of a stage have counted: slices of typed arrays, by group and labels.
//
//  component ── numbers[at]++ ──> slice <── the component that replaces it in a reload gets the same slice
//                                   │
//                                   └── news, each second (count-news.ts) ──> the leader: their sum (count-sum.ts)

import type { Steps } from "@hemi/common";
import type { CountGroup } from "./count-group.ts";

/** A sampled request that stands for others in its bucket. */
export interface Exemplar {
  /** Where the number of its bucket is in the slice. */
  readonly at: number;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** How long it took, in seconds. */
  readonly value: number;
  /** When it ended, in seconds since the epoch. */
  readonly time: number;
}

/** The numbers of one slice, as plain data. */
export interface CountBlock {
  /** The name of its group. */
  readonly group: string;
  /** The values of the labels, in the order of the group. */
  readonly labels: readonly string[];
  /** All numbers of the slice, in the layout of the group: see `CountGroup.at`. */
  readonly values: readonly number[];
  /** The last sampled request of each bucket of durations, if there is any. */
  readonly exemplars?: readonly Exemplar[];
}

/** What has been counted: one block for each slice. */
export type CountReport = readonly CountBlock[];

/** What a component counts, or the sum of that over processes. */
export interface CountSlice {
  /** What is counted. */
  readonly group: CountGroup;
  /** The values of the labels, in the order of the group. */
  readonly labels: readonly string[];
  /** In the layout of the group. They change. */
  readonly numbers: Float64Array;
  /** The last sampled request of each bucket of durations, by its place; `undefined`: there was none. */
  readonly exemplars: ReadonlyMap<number, Exemplar> | undefined;
}

interface OwnSlice extends CountSlice {
  exemplars: Map<number, Exemplar> | undefined;
}

/** The slices of one stage. It outlives the generations of the stage: counters go on after a reload. */
export class Metrics {
  readonly #slices = new Map<string, OwnSlice>();
  readonly #collectors = new Set<() => void>();

  /**
   * The numbers of a group for these labels; the same ones each time. Count in place. After 10,000 slices, further ones
   * of a group share one whose labels are `other`: a configuration that is generated for ever must not fill the memory.
   */
  numbers(group: CountGroup, labels: readonly string[]): Float64Array {
    const key = keyOf(group.name, labels);
    const known = this.#slices.get(key);
    if (known !== undefined) return known.numbers;
    const isOther = labels.every((label) => label === otherLabel);
    if (this.#slices.size >= maxSlices && !isOther)
      return this.numbers(
        group,
        labels.map(() => otherLabel),
      );
    const numbers = new Float64Array(group.size);
    this.#slices.set(key, { group, labels: [...labels], numbers, exemplars: undefined });
    return numbers;
  }

  /** A sampled request is an example of durations of a slice, which has numbers already. */
  keepExemplar(group: CountGroup, labels: readonly string[], exemplar: Exemplar): void {
    const slice = this.#slices.get(keyOf(group.name, labels));
    if (slice !== undefined) (slice.exemplars ??= new Map<number, Exemplar>()).set(exemplar.at, exemplar);
  }

  /**
   * Calls back before each report, to fill in what is not counted as it happens. Returns the function that ends this.
   */
  onReport(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => void this.#collectors.delete(collect);
  }

  /** Everything, as of now. */
  report(): CountReport {
    return this.slices().map(blockOf);
  }

  /** The same as it changes, in the order in which it was begun: the numbers are not copied. */
  slices(): readonly CountSlice[] {
    for (const collect of this.#collectors) collect();
    return [...this.#slices.values()];
  }

  /** One number, by its place in the group, over all slices of the group. */
  sum(group: CountGroup, at: number): number {
    let sum = 0;
    for (const slice of this.#slices.values()) if (slice.group === group) sum += slice.numbers[at] ?? 0;
    return sum;
  }
}

/** Identifies a slice. Labels come from a configuration, whose names have no control characters. */
export function keyOf(group: string, labels: readonly string[]): string {
  return `${group}\n${labels.join("\n")}`;
}

/** Slices as of now, or soon. Yields between them. */
export function* reportSteps(slices: readonly CountSlice[]): Steps<CountReport> {
  const blocks: CountBlock[] = [];
  for (const slice of slices) {
    blocks.push(blockOf(slice));
    yield undefined;
  }
  return blocks;
}

/** A slice as of now, as plain data. */
export function blockOf({ group, labels, numbers, exemplars }: CountSlice): CountBlock {
  const values: number[] = [];
  // A tenth of the cost of `[...numbers]`.
  for (const number of numbers) values.push(number);
  const block = { group: group.name, labels, values };
  return exemplars === undefined ? block : { ...block, exemplars: [...exemplars.values()] };
}

const otherLabel = "other";
/** Not a prop: far more than a configuration that a person maintains has. */
const maxSlices = 10_000;
