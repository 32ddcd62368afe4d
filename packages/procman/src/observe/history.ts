// What the components of a program did in the last 15 minutes: one point every 15 seconds.

import type { Activity, ActivityRow, WorkerRow } from "./activity.ts";

/** Points of one component or worker, the oldest first. */
export interface History {
  /** When each point was taken, in milliseconds since the epoch. */
  readonly times: readonly number[];
  /** For each number its points; `null`: there is none, as for the latency of a time without requests. */
  readonly points: Readonly<Record<string, readonly (number | null)[]>>;
}

/** What is kept of a component, and of a worker: four numbers each. */
const rowNumbers = ["rate", "errorRate", "p50", "p99"] as const satisfies readonly (keyof ActivityRow)[];
const workerNumbers = ["loop", "loopDelay", "rss", "heapUsed"] as const satisfies readonly (keyof WorkerRow)[];

interface Series {
  readonly names: readonly string[];
  /** For each number `maxPoints` values; NaN where there is none. */
  readonly values: Float32Array;
  /** The number of the last point with traffic. */
  lastBusy: number;
}

export class ActivityHistory {
  readonly #times = new Float64Array(maxPoints);
  readonly #series = new Map<string, Series>();
  /** The number of points so far. */
  #count = 0;

  /** Components without traffic for 15 minutes, and what is beyond the bound, are not kept. */
  add(time: number, { totals, components, workers }: Activity): void {
    const at = this.#count % maxPoints;
    this.#times[at] = time;
    for (const [path, series] of this.#series) {
      if (this.#count - series.lastBusy > maxPoints) this.#series.delete(path);
      else for (let i = at; i < series.values.length; i += maxPoints) series.values[i] = NaN;
    }
    for (const row of Object.values<ActivityRow>({ ...totals })) this.#note(row.path, at, rowNumbers, row, true);
    for (const row of workers) this.#note(`worker.${row.slot}`, at, workerNumbers, row, true);
    for (const row of components) this.#note(row.path, at, rowNumbers, row, row.rate > 0 || row.underWay > 0);
    this.#count++;
  }

  /** `undefined`: there was no traffic. */
  of(path: string): History | undefined {
    const series = this.#series.get(path);
    if (series === undefined) return undefined;
    const { names, values } = series;
    const places = this.#places();
    const numbers = names.map((name, i) => {
      const points = places.map((place) => values[i * maxPoints + place] ?? NaN);
      return [name, points.map((value) => (Number.isNaN(value) ? null : value))] as const;
    });
    return { times: places.map((place) => this.#times[place] ?? 0), points: Object.fromEntries(numbers) };
  }

  #note<Name extends string>(
    path: string,
    at: number,
    names: readonly Name[],
    row: Readonly<Record<Name, number | null>>,
    isBusy: boolean,
  ): void {
    let series = this.#series.get(path);
    if (series === undefined) {
      if (!isBusy || this.#series.size >= maxSeries) return;
      series = { names, values: new Float32Array(names.length * maxPoints).fill(NaN), lastBusy: this.#count };
      this.#series.set(path, series);
    }
    if (isBusy) series.lastBusy = this.#count;
    for (const [i, name] of names.entries()) series.values[i * maxPoints + at] = row[name] ?? NaN;
  }

  /** Of the points in the arrays, the oldest first. */
  #places(): readonly number[] {
    const first = Math.max(0, this.#count - maxPoints);
    return Array.from({ length: this.#count - first }, (_, i) => (first + i) % maxPoints);
  }
}

/** In milliseconds. */
export const historyInterval = 15_000;
const maxPoints = 60;
/** Not a prop: with it, the history takes 3 MB at most. */
const maxSeries = 2000;
