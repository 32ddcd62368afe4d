// Minimum levels of an error log that differ from its own for some components.

import type { LogLevel } from "./record.ts";

/** The minimum level for a component, and for what stands in it. */
export interface PathLevel {
  /** For example `webapp.shop`. "": everything. */
  readonly path: string;
  /** Lines below it are not written. */
  readonly level: LogLevel;
}

/** The one with the longest path that applies to a component. */
export function levelFor(path: string, levels: readonly PathLevel[]): LogLevel | undefined {
  let found: PathLevel | undefined;
  for (const one of levels) {
    const applies = one.path === "" || path === one.path || path.startsWith(`${one.path}/`);
    if (applies && one.path.length >= (found?.path.length ?? 0)) found = one;
  }
  return found?.level;
}
