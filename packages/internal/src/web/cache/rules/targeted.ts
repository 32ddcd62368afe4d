// Targeted cache control (RFC 9213): a field such as `cdn-cache-control` that takes the place of `cache-control` for
// caches of one sort. It is a dictionary of structured fields (RFC 8941).

import type { Fields } from "../../../http/fields.ts";
import type { Directives } from "./directives.ts";

/**
 * The directives of the first of the target fields that is valid and not empty; `undefined` if none is: then
 * `cache-control` and `expires` apply (RFC 9213 section 2.2).
 */
export function targetedDirectives(fields: Pick<Fields, "get">, targets: readonly string[]): Directives | undefined {
  for (const target of targets) {
    const field = fields.get(target);
    const directives = field === undefined ? undefined : parseDictionary(field);
    if (directives !== undefined && directives.size > 0) return directives;
  }
  return undefined;
}

/** Members with a value of the wrong type are ignored (RFC 9213 section 2.1); `undefined` if it is malformed. */
function parseDictionary(field: string): Directives | undefined {
  const directives = new Map<string, string>();
  const member = new RegExp(`[ \\t]*${key}(?:=(${bareItem}))?(?:;[ ]*${key}(?:=${bareItem})?)*[ \\t]*(,|$)`, "y");
  for (let comma = ","; comma === ",";) {
    const found = member.exec(field);
    if (found === null) return undefined;
    const [, name = "", value = "?1", , end = ""] = found;
    comma = end;
    const argument = argumentOf(name, value);
    // Of a repeated key, the last counts (RFC 8941 section 3.2).
    if (argument === undefined) directives.delete(name);
    else directives.set(name, argument);
    if (member.lastIndex >= field.length) break;
  }
  return directives;
}

const key = "([a-z*][a-z0-9_.*-]*)";
const bareItem =
  '(?:-?\\d{1,15}(?:\\.\\d{1,3})?|"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"|[A-Za-z*][!#$%&\'*+.^_`|~0-9A-Za-z:/-]*|\\?[01])';

/** `undefined`: the directive does not count. */
function argumentOf(name: string, value: string): string | undefined {
  if (withSeconds.has(name)) return /^\d+$/.test(value) ? value : undefined;
  if (value === "?0") return undefined;
  if (value === "?1") return "";
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}

const withSeconds: ReadonlySet<string> = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);
