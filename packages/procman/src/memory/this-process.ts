// This process, as `IdleCollection` sees it.

import { performance } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { IdleCollection, lookInterval, type CollectedProcess, type IdleCollectionOptions } from "./idle-collection.ts";

/** Returns the function that ends it. */
export function collectWhenIdle(options?: IdleCollectionOptions): () => void {
  const collection = new IdleCollection(thisProcess(), options);
  const timer = setInterval(() => collection.look(), lookInterval).unref();
  return () => clearInterval(timer);
}

export function thisProcess(): CollectedProcess {
  // Made when it is used: it has a context of its own, which takes memory.
  let gc: NodeJS.GCFunction | undefined;
  return {
    rss: () => process.memoryUsage.rss(),
    heapUsed: () => getHeapStatistics().used_heap_size,
    activeTime: () => performance.eventLoopUtilization().active,
    collect(what) {
      gc ??= exposedGc();
      if (what === "young") gc?.({ type: "minor", execution: "sync" });
      // Only this flavor gives the pages of freed memory back to the system.
      else gc?.({ type: "major", flavor: "last-resort", execution: "sync" });
    },
  };
}

/** The function that `--expose-gc` exposes: there is no other way to it. It is not left where other code sees it. */
function exposedGc(): NodeJS.GCFunction | undefined {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  return isGc(gc) ? gc : undefined;
}

function isGc(value: unknown): value is NodeJS.GCFunction {
  return typeof value === "function";
}
