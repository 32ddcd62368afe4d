// Hints for errors about unknown names.

import { nearestNames } from "@hemi/common";
import type { VariableTable } from "./variables.ts";

/**
 * Returns `did you mean .hostnames?`, or `undefined` if no known name is similar. `show` adds the notation around a
 * name. If no name has a similar spelling, names that contain it as a word are suggested: for `proxy`, httpProxy.
 */
export function didYouMean(name: string, known: Iterable<string>, show: (name: string) => string): string | undefined {
  const names = [...known];
  const near = nearestNames(name, names);
  const meant = near.length > 0 ? near : namesWith(name, names);
  return meant.length === 0 ? undefined : `did you mean ${meant.map(show).join(" or ")}?`;
}

/** The first three names that end or begin with the word. */
function namesWith(word: string, names: readonly string[]): readonly string[] {
  if (word.length < 4) return [];
  const lower = word.toLowerCase();
  const holds = (name: string): boolean => name.toLowerCase().endsWith(lower) || name.toLowerCase().startsWith(lower);
  return names.filter(holds).slice(0, 3);
}

/**
 * The same for a variable. For a family such as `header_`, the part of the unknown name after its first `_` is used.
 */
export function didYouMeanVariable(name: string, table: VariableTable<never> | undefined): string | undefined {
  const foreign = table?.foreign?.(name);
  if (foreign !== undefined) return foreign;
  const [, rest = ""] = /_(.*)$/s.exec(name) ?? [];
  const known = table?.names.map((known) => (known.endsWith("_") ? known + (rest || "…") : known)) ?? [];
  return didYouMean(name, known, (name) => `$${name}`);
}
