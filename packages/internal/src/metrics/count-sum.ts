// Sums the numbers of several processes. What a process has counted stays in the sum after its end.

import type { CountGroup } from "./count-group.ts";
import { countGroups } from "./groups.ts";
import { keyOf, type CountBlock, type CountReport, type Exemplar } from "./metrics.ts";

/** `Source`: identifies a process. */
export class CountSum<Source extends object> {
  readonly #bySource = new Map<Source, Map<string, CountBlock>>();
  /** What processes have counted that have ended: counters only. */
  readonly #former = new Map<string, CountBlock>();

  /** Takes the present numbers of slices of a process; those of its other slices stay as they are. */
  take(source: Source, report: CountReport): void {
    const blocks = this.#bySource.get(source) ?? new Map<string, CountBlock>();
    this.#bySource.set(source, blocks);
    for (const block of report) blocks.set(keyOf(block.group, block.labels), block);
  }

  /** The process has ended. Its counters stay, and what it had under way is no more. Twice is harmless. */
  ended(source: Source): void {
    const blocks = this.#bySource.get(source);
    this.#bySource.delete(source);
    for (const [key, block] of blocks ?? []) {
      const group = groupsByName.get(block.group);
      if (group === undefined) continue;
      const known = this.#former.get(key);
      if (known === undefined && this.#former.size >= maxFormer) continue;
      const values = withoutGauges(group, block.values);
      this.#former.set(key, known === undefined ? { ...block, values } : added(known, { ...block, values }));
    }
  }

  /** The sum over all processes, but the one that is left out. */
  total(leftOut?: Source): CountReport {
    const sums = new Map(this.#former);
    for (const [source, blocks] of this.#bySource) {
      if (source === leftOut) continue;
      for (const [key, block] of blocks) {
        const sum = sums.get(key);
        sums.set(key, sum === undefined ? block : added(sum, block));
      }
    }
    return [...sums.values()];
  }
}

const groupsByName: ReadonlyMap<string, CountGroup> = new Map(countGroups.map((group) => [group.name, group]));

function added(block: CountBlock, other: CountBlock): CountBlock {
  const values = block.values.map((value, i) => value + (other.values[i] ?? 0));
  const exemplars = latest([...(block.exemplars ?? []), ...(other.exemplars ?? [])]);
  return { ...block, values, ...(exemplars.length === 0 ? {} : { exemplars }) };
}

/** Of each bucket, the one that ended last. */
function latest(exemplars: readonly Exemplar[]): readonly Exemplar[] {
  const byPlace = new Map<number, Exemplar>();
  for (const exemplar of exemplars) {
    if (exemplar.time >= (byPlace.get(exemplar.at)?.time ?? 0)) byPlace.set(exemplar.at, exemplar);
  }
  return [...byPlace.values()];
}

function withoutGauges({ series, at }: CountGroup, values: readonly number[]): readonly number[] {
  const kept = [...values];
  for (const [name, { type }] of Object.entries(series)) {
    const place = at[name];
    if (type === "gauge" && place !== undefined) kept[place] = 0;
  }
  return kept;
}

/** Not a prop: as many slices as one process has at most, for a few generations of configurations. */
const maxFormer = 20_000;
