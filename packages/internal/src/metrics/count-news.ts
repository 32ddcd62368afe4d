// What a process tells another one of its numbers: the names of a slice once, its numbers when they have changed.
//
//   worker ──news──> leader: sum of all workers ──news──> a worker that is scraped
//
// Both ends are processes of one machine: they have the same order of bytes.

import type { CountSlice, Exemplar } from "./metrics.ts";

/** Plain data for a channel of JSON. News of one teller must be taken in their order. */
export interface CountNews {
  /** What was told before does not hold any more, once the last part has come: the numbering begins again. */
  readonly isAnew: boolean;
  /** Whether this is the last part of what was told at once. */
  readonly isLast: boolean;
  /** Slices that were not told of before. They have the next numbers, from 0 on. */
  readonly names: readonly { readonly group: string; readonly labels: readonly string[] }[];
  /** The slices that have changed, by their numbers. */
  readonly changed: readonly number[];
  /** All numbers of those slices, one slice after the other: 64-bit floating point, in base64. */
  readonly values: string;
  /** The last sampled requests of those slices that have some. */
  readonly exemplars: readonly { readonly slice: number; readonly exemplars: readonly Exemplar[] }[];
}

/** The numbers in `values`. */
export function numbersOf({ values }: CountNews): Float64Array {
  const bytes = Buffer.from(values, "base64");
  const numbers = new Float64Array(bytes.length / Float64Array.BYTES_PER_ELEMENT);
  Buffer.from(numbers.buffer).set(bytes);
  return numbers;
}

interface Told {
  readonly slice: CountSlice;
  /** Its number in the news; `undefined`: it has counted nothing yet, and was not told of. */
  number: number | undefined;
  /** The numbers as they were told last. */
  readonly numbers: Float64Array;
}

/** Tells one listener. */
export class CountTeller {
  /** In the order of the slices. */
  #told: Told[] = [];
  #names = 0;
  /** Whoever listens may have heard another teller. */
  #isAnew = true;

  /**
   * What has changed since the last call, in parts that do not stop an event loop. Slices without any number are left
   * out. `slices`: further ones may be added at their end; otherwise everything is told anew.
   */
  news(slices: readonly CountSlice[]): readonly CountNews[] {
    if (this.#told.some(({ slice }, i) => slice !== slices[i])) this.#begin();
    const parts: Part[] = [];
    let part = new Part();
    for (const [i, slice] of slices.entries()) {
      const told = (this.#told[i] ??= { slice, number: undefined, numbers: new Float64Array(slice.numbers.length) });
      if (isSame(slice.numbers, told.numbers)) continue;
      if (told.number === undefined) {
        told.number = this.#names++;
        part.names.push({ group: slice.group.name, labels: slice.labels });
      }
      told.numbers.set(slice.numbers);
      part.add(told.number, told.numbers, slice.exemplars);
      if (part.changed.length < maxSlices) continue;
      parts.push(part);
      part = new Part();
    }
    if (part.changed.length > 0 || (this.#isAnew && parts.length === 0)) parts.push(part);
    const isAnew = this.#isAnew;
    this.#isAnew = false;
    return parts.map((each, i) => each.finish(isAnew && i === 0, i === parts.length - 1));
  }

  #begin(): void {
    this.#told = [];
    this.#names = 0;
    this.#isAnew = true;
  }
}

/** News that are being written. */
class Part {
  readonly names: CountNews["names"][number][] = [];
  readonly changed: number[] = [];
  readonly #values: Float64Array[] = [];
  readonly #exemplars: CountNews["exemplars"][number][] = [];

  add(slice: number, numbers: Float64Array, exemplars: CountSlice["exemplars"]): void {
    this.changed.push(slice);
    this.#values.push(numbers);
    if (exemplars !== undefined) this.#exemplars.push({ slice, exemplars: [...exemplars.values()] });
  }

  finish(isAnew: boolean, isLast: boolean): CountNews {
    const { names, changed } = this;
    const pieces = this.#values.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength),
    );
    const values = Buffer.concat(pieces).toString("base64");
    return { isAnew, isLast, names, changed, values, exemplars: this.#exemplars };
  }
}

function isSame(numbers: Float64Array, told: Float64Array): boolean {
  for (let i = 0; i < numbers.length; i++) if (numbers[i] !== told[i]) return false;
  return true;
}

/** Of one part: some ten kilobytes, which are read in less than a millisecond. */
const maxSlices = 250;
