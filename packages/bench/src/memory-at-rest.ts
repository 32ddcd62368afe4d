// Memory of a server that has had nothing to do for a while.

import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "./server-process.ts";

/** In bytes. */
export async function memoryAtRest(server: ServerProcess): Promise<number> {
  await sleep(restTime);
  return server.memory();
}

/** In ms. Idle processes of ours give back what the opening has left behind, which they look for every 5 s. */
export const restTime = 13_000;
