// This process, as those see it who keep its memory in order.

import { constants, performance, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { IdleCollection, lookInterval, type CollectedProcess, type IdleCollectionOptions } from "./idle-collection.ts";
import { isYoungGenerationChosen, letYoungGenerationGrow, maxSemiSpace } from "./young-generation.ts";
import { YoungGrowth, type YoungGeneration } from "./young-growth.ts";

/** Returns the function that ends it. */
export function collectWhenIdle(options?: IdleCollectionOptions): () => void {
  const collection = new IdleCollection(thisProcess(), options);
  const timer = setInterval(() => collection.look(), lookInterval).unref();
  return () => clearInterval(timer);
}

/** Lets the young generation grow where it is too small. Returns the function that ends it. */
export function growYoungGeneration(): () => void {
  if (isYoungGenerationChosen()) return () => {};
  const growth = new YoungGrowth(youngGeneration(), maxSemiSpace);
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    timer = setTimeout(look, growth.look()).unref();
  };
  look();
  return () => {
    clearTimeout(timer);
    growth.end();
  };
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

export function youngGeneration(): YoungGeneration {
  return {
    activeTime: () => performance.eventLoopUtilization().active,
    size: () => (getHeapSpaceStatistics().find((space) => space.space_name === "new_space")?.space_size ?? 0) / 2,
    letGrow: letYoungGenerationGrow,
    watch(collected) {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (isMinor(entry)) collected(entry.duration);
      });
      observer.observe({ entryTypes: ["gc"] });
      return () => observer.disconnect();
    },
  };
}

/** Whether only the young generation was collected. */
function isMinor(entry: PerformanceEntry): boolean {
  return "detail" in entry && hasKind(entry.detail) && entry.detail.kind === constants.NODE_PERFORMANCE_GC_MINOR;
}

function hasKind(detail: unknown): detail is { readonly kind: unknown } {
  return typeof detail === "object" && detail !== null && "kind" in detail;
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
