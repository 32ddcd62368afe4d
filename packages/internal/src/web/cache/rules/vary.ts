// Which of the stored variants of a resource a request selects (RFC 9111 section 4.1).

import { parseWeights } from "../../../http/accept.ts";
import { memoizeField } from "../../../http/field-memo.ts";
import type { Fields } from "../../../http/fields.ts";
import { listMembers } from "../../../http/list-members.ts";

/**
 * The request fields that selected a response, with their values in normal form: names and values alternating. The
 * value `""`: the request had no such field.
 */
export type Variant = readonly string[];

/** For a resource without variants. */
export const noVariant: Variant = [];

/** The names in a `vary` field, in lower case, each once; "any" for `*`, which no stored response matches. */
export function varyNames(fields: Pick<Fields, "get">): readonly string[] | "any" {
  const field = fields.get("vary");
  if (field === undefined) return [];
  const names = new Set(listMembers(field.toLowerCase(), maxNames + 1));
  // Nobody names so many fields but to fill the cache with variants.
  return names.has("*") || names.size > maxNames ? "any" : [...names].sort();
}

/** Not a prop: a resource that really varied so much would have no hits. */
const maxNames = 20;

/** The variant that a request asks for. `names` as `varyNames` gives them. */
export function variantOf(names: readonly string[], fields: Pick<Fields, "get">): Variant {
  return names.length === 0 ? noVariant : names.flatMap((name) => [name, normalForm(name, fields)]);
}

/** Whether a request asks for this variant. */
export function matchesVariant(variant: Variant, fields: Pick<Fields, "get">): boolean {
  for (let i = 0; i < variant.length; i += 2) {
    if (normalForm(variant[i] ?? "", fields) !== variant[i + 1]) return false;
  }
  return true;
}

/**
 * Values that mean the same have the same form (section 4.1): the order of codings and languages does not count, nor
 * does white space around commas. The mark keeps an empty field apart from a missing one.
 */
function normalForm(name: string, fields: Pick<Fields, "get">): string {
  const value = fields.get(name);
  if (value === undefined) return "";
  return weightedFields.has(name) ? weightedForm(value) : `=${listMembers(value, Infinity).join(",")}`;
}

/** Their members are ranked by weight, not by order (RFC 9110 section 12.5). */
const weightedFields: ReadonlySet<string> = new Set(["accept-charset", "accept-encoding", "accept-language"]);

const weightedForm = memoizeField((field) => {
  const members = parseWeights(field).map(({ name, weight }) => (weight === 1 ? name : `${name};q=${weight}`));
  return `=${[...new Set(members)].sort().join(",")}`;
});
