// Counts the DNS queries of a stage's namer.

import type { Namer } from "../fixtures/namer.ts";
import { countDuration, increase } from "../metrics/count-group.ts";
import { namerGroup } from "../metrics/groups.ts";
import type { Surroundings } from "./context.ts";

/** From now on. A name that is known, or stands in a file, needs no query. */
export function countLookups(namer: Namer, { metrics, workers }: Pick<Surroundings, "metrics" | "workers">): void {
  const { at } = namerGroup;
  const numbers = metrics.numbers(namerGroup, [String(workers.slot)]);
  namer.onQuery = (outcome, duration) => {
    increase(numbers, at[outcome]);
    countDuration(numbers, at.durations, duration);
  };
}
