// Sums the numbers of several processes. What a process has counted stays in the sum after its end.

import { setImmediate as turn } from "node:timers/promises";
import { finishInSlices } from "@hemi/common";
import type { CountGroup } from "./count-group.ts";
import { numbersOf, type CountNews } from "./count-news.ts";
import { countGroups } from "./groups.ts";
import { blockOf, keyOf, reportSteps, type CountReport, type CountSlice, type Exemplar } from "./metrics.ts";

/** `Source`: identifies a process. */
export class CountSum<Source extends object> {
  readonly #slices = new Map<string, SumSlice<Source>>();
  /** The slices of each process, in the order in which it has told of them. */
  readonly #told = new Map<Source, SumSlice<Source>[]>();
  /** Of processes that tell everything anew: those of which they had told before. They count until all is told. */
  readonly #before = new Map<Source, ReadonlySet<SumSlice<Source>>>();
  /** How many slices have numbers of processes that have ended. */
  #former = 0;

  /** Takes news of a process. The cost is that of the slices that have changed. */
  take(source: Source, news: CountNews): void {
    if (news.isAnew) this.#beginAnew(source);
    const told = this.#told.get(source) ?? [];
    this.#told.set(source, told);
    for (const { group, labels } of news.names) told.push(this.#sliceOf(group, labels));
    const numbers = numbersOf(news);
    let at = 0;
    for (const number of news.changed) {
      const slice = told[number];
      if (slice === undefined) throw new TypeError(`numbers of the slice ${number}, which was not told of`);
      slice.take(source, numbers.subarray(at, (at += slice.group.size)));
    }
    for (const { slice, exemplars } of news.exemplars) told[slice]?.keep(exemplars);
    if (news.isLast) this.#endAnew(source);
  }

  /** The process has ended. Its counters stay, and what it had under way is no more. Twice is harmless. */
  ended(source: Source): void {
    for (const slice of this.#slicesOf(source)) {
      if (!slice.hasFormer && this.#former >= maxFormer) continue;
      if (!slice.hasFormer) this.#former++;
      slice.addToFormer(source);
    }
    this.#forget(source);
  }

  /** The sum over all processes, but the one that is left out. */
  total(leftOut?: Source): CountReport {
    return this.slices(leftOut).map(blockOf);
  }

  /** The sum over all processes, in turns of its own: thousands of slices do not stop the event loop. */
  async totalInSlices(): Promise<CountReport> {
    await turn();
    return await finishInSlices(reportSteps(this.slices()), sliceTime);
  }

  /** The same as it changes: the numbers are not copied, unless a process is left out. */
  slices(leftOut?: Source): readonly CountSlice[] {
    const all = [...this.#slices.values()];
    return leftOut === undefined ? all : all.flatMap((slice) => slice.without(leftOut) ?? []);
  }

  /** Counters must not fall between two parts of the news, nor if the process ends there. */
  #beginAnew(source: Source): void {
    this.#before.set(source, this.#slicesOf(source));
    this.#told.delete(source);
  }

  #endAnew(source: Source): void {
    const before = this.#before.get(source);
    if (before === undefined) return;
    this.#before.delete(source);
    const told = new Set(this.#told.get(source));
    for (const slice of before) if (!told.has(slice)) this.#drop(slice, source);
  }

  #forget(source: Source): void {
    for (const slice of this.#slicesOf(source)) this.#drop(slice, source);
    this.#before.delete(source);
    this.#told.delete(source);
  }

  #drop(slice: SumSlice<Source>, source: Source): void {
    slice.drop(source);
    if (slice.isEmpty) this.#slices.delete(slice.key);
  }

  #slicesOf(source: Source): ReadonlySet<SumSlice<Source>> {
    return new Set([...(this.#before.get(source) ?? []), ...(this.#told.get(source) ?? [])]);
  }

  #sliceOf(groupName: string, labels: readonly string[]): SumSlice<Source> {
    const key = keyOf(groupName, labels);
    const known = this.#slices.get(key);
    if (known !== undefined) return known;
    const group = groupsByName.get(groupName);
    if (group === undefined) throw new TypeError(`nothing counts in a group ${groupName}`);
    const slice = new SumSlice<Source>(key, group, labels);
    this.#slices.set(key, slice);
    return slice;
  }
}

class SumSlice<Source> implements CountSlice {
  readonly key: string;
  readonly group: CountGroup;
  readonly labels: readonly string[];
  readonly numbers: Float64Array;
  exemplars: Map<number, Exemplar> | undefined;
  readonly #parts = new Map<Source, Float64Array>();
  #former: Float64Array | undefined;

  constructor(key: string, group: CountGroup, labels: readonly string[]) {
    this.key = key;
    this.group = group;
    this.labels = labels;
    this.numbers = new Float64Array(group.size);
  }

  get hasFormer(): boolean {
    return this.#former !== undefined;
  }

  /** Nobody has counted anything, or is known any more. */
  get isEmpty(): boolean {
    return this.#parts.size === 0 && this.#former === undefined;
  }

  take(source: Source, numbers: Float64Array): void {
    const part = this.#parts.get(source) ?? new Float64Array(numbers.length);
    for (let i = 0; i < part.length; i++) part[i] = Math.round((numbers[i] ?? 0) * fraction) / fraction;
    this.#parts.set(source, part);
    this.#sumUp();
  }

  /** Of each bucket, the one that ended last. */
  keep(exemplars: readonly Exemplar[]): void {
    this.exemplars ??= new Map();
    for (const exemplar of exemplars) {
      if (exemplar.time >= (this.exemplars.get(exemplar.at)?.time ?? 0)) this.exemplars.set(exemplar.at, exemplar);
    }
  }

  /** Its counters stay. */
  addToFormer(source: Source): void {
    const part = this.#parts.get(source);
    if (part === undefined) return;
    const former = (this.#former ??= new Float64Array(this.group.size));
    addTo(former, part);
    for (const gauge of gaugesOf(this.group)) former[gauge] = 0;
  }

  /** One that is empty then keeps its last numbers, for whoever is about to tell them. */
  drop(source: Source): void {
    if (this.#parts.delete(source) && !this.isEmpty) this.#sumUp();
  }

  /** `undefined`: nobody else has counted anything. */
  without(source: Source): CountSlice | undefined {
    const part = this.#parts.get(source);
    if (part === undefined) return this;
    if (this.#parts.size === 1 && this.#former === undefined) return undefined;
    const { group, labels, exemplars } = this;
    return { group, labels, exemplars, numbers: this.#sumInto(new Float64Array(group.size), source) };
  }

  #sumUp(): void {
    this.#sumInto(this.numbers.fill(0));
  }

  #sumInto(sum: Float64Array, leftOut?: Source): Float64Array {
    if (this.#former !== undefined) addTo(sum, this.#former);
    for (const [source, part] of this.#parts) if (source !== leftOut) addTo(sum, part);
    return sum;
  }
}

const groupsByName: ReadonlyMap<string, CountGroup> = new Map(countGroups.map((group) => [group.name, group]));

function addTo(sum: Float64Array, numbers: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (numbers[i] ?? 0);
}

/** Their places. */
function gaugesOf({ series, at }: CountGroup): readonly number[] {
  return Object.entries(series).flatMap(([name, { type }]) => (type === "gauge" ? (at[name] ?? []) : []));
}

/**
 * Of a second: a millionth of it, nearly. Sums of such numbers are exact, in whichever order they are made: otherwise a
 * counter could fall by its last digit when a process ends, and whoever reads it would take it for a restart.
 */
const fraction = 2 ** 20;
/** Not a prop: as many slices as one process has at most, for a few generations of configurations. */
const maxFormer = 20_000;

/** In ms. */
const sliceTime = 2;
