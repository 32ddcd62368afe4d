// readingStore: an addon that holds the readings, the same ones in each worker. A new worker asks the others for
// theirs.

import { capability, defineAddon } from "@hemi/hemi";
import { isReading, Readings, type Reading } from "../libs/readings.ts";

/** What other components do with it. */
export interface ReadingStore {
  readonly readings: Readings;
  /** Adds a reading here and in all other workers. */
  publish(reading: Reading): void;
}

export const storesReadings = capability<ReadingStore>("stores readings");

export const readingStore = defineAddon({
  sign: "readingStore",
  offers: [storesReadings],
  create({ workers }) {
    const readings = new Readings();
    const ends: (() => void)[] = [];
    return {
      readings,
      publish(reading: Reading) {
        if (readings.add(reading)) workers.broadcast("weather readings", [reading]);
      },
      start() {
        ends.push(
          workers.subscribe("weather readings", (received) => {
            if (!Array.isArray(received)) return;
            for (const reading of received) if (isReading(reading)) readings.add(reading);
          }),
          workers.subscribe("weather readings wanted", () => workers.broadcast("weather readings", readings.all)),
        );
        workers.broadcast("weather readings wanted", null);
      },
      shutdown() {
        for (const end of ends) end();
      },
    };
  },
});
