// The hints behind errors about unknown names.

import { nearestNames } from "@hemi/common";
import type { VariableTable } from "./variables.ts";

/** `did you mean .hostnames?`, or `undefined` if nothing known is near. `show` puts the marks around a name. */
export function didYouMean(name: string, known: Iterable<string>, show: (name: string) => string): string | undefined {
  const near = nearestNames(name, known).map(show);
  return near.length === 0 ? undefined : `did you mean ${near.join(" or ")}?`;
}

/** The same for a variable. A family such as `header_` counts with what stands behind the first `_` of the unknown name. */
export function didYouMeanVariable(name: string, table: VariableTable<never> | undefined): string | undefined {
  const [, rest = ""] = /_(.*)$/s.exec(name) ?? [];
  const known = table?.names.map((known) => (known.endsWith("_") ? known + (rest || "…") : known)) ?? [];
  return didYouMean(name, known, (name) => `$${name}`);
}
