// Header fields as clients of the control socket send them: a list of values for each name.

import { HemiError } from "@hemi/hemi/base";

export type HeaderLists = Readonly<Record<string, readonly string[]>>;

/** Default: none. Throws HEMI_USAGE. */
export function readHeaderLists(value: unknown): HeaderLists {
  const lists: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(typeof value === "object" && value !== null ? { ...value } : {})) {
    if (!Array.isArray(values) || !values.every((one) => typeof one === "string"))
      throw new HemiError("HEMI_USAGE", "headers has a list of texts for each name");
    lists[name] = values;
  }
  return lists;
}
