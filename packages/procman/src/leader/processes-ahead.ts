// Which processes of workers start ahead, when a program starts.

import { availableParallelism } from "node:os";
import type { Slot } from "./slot.ts";

/**
 * The first worker and the leader need a CPU each until the program listens. The processes of other workers start
 * beside them, one for each further CPU; on the same CPUs, they would only delay that moment.
 */
export function startAheadOnIdleCPUs(
  slots: readonly Pick<Slot, "startAhead">[],
  cpus: number = availableParallelism(),
): void {
  for (const slot of slots.slice(0, Math.max(cpus - 1, 1))) slot.startAhead();
}
