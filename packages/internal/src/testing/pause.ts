// A pause of the process, as its clock shows it: after a signal, or a snapshot of the machine.

import { vi } from "vitest";

/** The clock has gone on by so many milliseconds, until the end of the scope. Nothing else has happened meanwhile. */
export function pauseOf(ms: number): Disposable {
  const now = performance.now.bind(performance);
  return vi.spyOn(performance, "now").mockImplementation(() => now() + ms);
}

/** The event loop stands still, as in a pause of the process, and has then run all timers that are due. */
export async function standStill(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end;);
  await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => setImmediate(resolve));
}
