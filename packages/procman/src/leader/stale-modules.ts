// The modules of the user that the workers run, against those on disk and those that a configuration names.

import { stat } from "node:fs/promises";
import type { LoadedModule } from "../channel/calls.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Those that have changed on disk since the workers loaded them: paths, sorted. */
export async function staleModules(workers: readonly WorkerProcess[]): Promise<readonly string[]> {
  // One that several workers have loaded counts with the oldest time.
  const oldest = new Map<string, number>();
  for (const { path, modifiedAt } of (await loadedIn(workers)).flat())
    oldest.set(path, Math.min(modifiedAt, oldest.get(path) ?? Infinity));
  const stale: string[] = [];
  for (const [path, modifiedAt] of oldest) {
    const found = await stat(path).catch(() => undefined);
    if (found?.mtimeMs !== modifiedAt) stale.push(path);
  }
  return stale.sort();
}

/** Those of the named ones that a worker has not loaded: paths, sorted. */
export async function newModules(
  workers: readonly WorkerProcess[],
  named: readonly string[],
): Promise<readonly string[]> {
  const loaded = (await loadedIn(workers)).map((modules) => new Set(modules.map(({ path }) => path)));
  return named.filter((path) => loaded.some((paths) => !paths.has(path))).sort();
}

/** For each worker that answers. */
async function loadedIn(workers: readonly WorkerProcess[]): Promise<readonly (readonly LoadedModule[])[]> {
  const lists = await Promise.allSettled(workers.map((worker) => worker.call("modules", undefined)));
  return lists.flatMap((list) => (list.status === "fulfilled" ? [list.value] : []));
}
