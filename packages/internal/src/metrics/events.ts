// Counts what a component does and what has no group of its own, by words of its code.

import { increase } from "./count-group.ts";
import { eventGroup } from "./groups.ts";
import { ownerLabels } from "./labels.ts";
import type { Metrics } from "./metrics.ts";

/**
 * Returns the function that counts. `sign` is that of the component; the label `component` is the name of the component
 * of the stage that it stands in, or is.
 */
export function eventCounter<const Event extends string>(
  { path, metrics }: { readonly path: string; readonly metrics: Metrics },
  sign: string,
  events: readonly Event[],
): (event: Event, amount?: number) => void {
  const [owner] = ownerLabels({ name: "", path });
  const slices = new Map<string, Float64Array>(
    events.map((event) => [event, metrics.numbers(eventGroup, [owner, sign, event])]),
  );
  return (event, amount = 1) => {
    const numbers = slices.get(event);
    if (numbers !== undefined) increase(numbers, eventGroup.at.count, amount);
  };
}
