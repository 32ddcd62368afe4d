// Which modules of the user have changed on disk since the workers loaded them.

import { stat } from "node:fs/promises";
import type { LoadedModule } from "../channel/calls.ts";

/** Paths, sorted. A module that several workers have loaded counts with the oldest time. */
export async function staleModules(loaded: readonly LoadedModule[]): Promise<readonly string[]> {
  const oldest = new Map<string, number>();
  for (const { path, modifiedAt } of loaded) oldest.set(path, Math.min(modifiedAt, oldest.get(path) ?? Infinity));
  const stale: string[] = [];
  for (const [path, modifiedAt] of oldest) {
    const found = await stat(path).catch(() => undefined);
    if (found?.mtimeMs !== modifiedAt) stale.push(path);
  }
  return stale.sort();
}
