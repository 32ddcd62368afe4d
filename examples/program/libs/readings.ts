// The last readings of the stations: plain TypeScript that knows nothing of Hemi.

export interface Reading {
  readonly station: string;
  /** In degrees Celsius. */
  readonly temperature: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Keeps one reading for each station: the newest. */
export class Readings {
  readonly #newest = new Map<string, Reading>();

  get all(): readonly Reading[] {
    return [...this.#newest.values()];
  }

  /** Returns whether it was kept: it is newer than what was there, and there is room for another station. */
  add(reading: Reading): boolean {
    const known = this.#newest.get(reading.station);
    if (known === undefined ? this.#newest.size >= maxStations : known.time >= reading.time) return false;
    this.#newest.set(reading.station, reading);
    return true;
  }

  /** Returns how many readings were older than `time`. */
  forgetBefore(time: number): number {
    const old = this.all.filter((reading) => reading.time < time);
    for (const { station } of old) this.#newest.delete(station);
    return old.length;
  }
}

/** `oslo -3.5`; `undefined` for a line that is none. */
export function parseReading(line: string, time: number): Reading | undefined {
  const [, station, temperature] = /^([a-z]{1,20}) (-?\d{1,3}(?:\.\d{1,3})?)$/.exec(line.trim()) ?? [];
  return station === undefined ? undefined : { station, temperature: Number(temperature), time };
}

/** What a client sends may come from anywhere: this is what a reading looks like. */
export function isReading(value: unknown): value is Reading {
  if (typeof value !== "object" || value === null) return false;
  if (!("station" in value && "temperature" in value && "time" in value)) return false;
  return typeof value.station === "string" && typeof value.temperature === "number" && typeof value.time === "number";
}

const maxStations = 500;
