// Targeted cache control (RFC 9213): a field such as `cdn-cache-control` that takes the place of `cache-control` for
// caches of one sort. It is a dictionary of structured fields (RFC 9651).

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
    if (directives !== undefined) return directives;
  }
  return undefined;
}

/** Members with a value of the wrong type are ignored (RFC 9213 section 2.1); `undefined`: it is malformed or empty. */
function parseDictionary(field: string): Directives | undefined {
  const directives = new Map<string, string>();
  const member = new RegExp(`[ \\t]*(${key})(?:=(${innerList}|${bareItem}))?${parameters}[ \\t]*(,|$)`, "y");
  for (let comma = ","; comma === ",";) {
    // Nothing may be missing behind a comma (RFC 9651 section 4.2.2).
    const found = member.exec(field);
    if (found === null) return undefined;
    const [, name = "", value = "?1", end = ""] = found;
    comma = end;
    const argument = argumentOf(name, value);
    // Of a repeated key, the last counts (RFC 9651 section 3.2).
    if (argument === undefined) directives.delete(name);
    else directives.set(name, argument);
  }
  return directives;
}

const key = "[a-z*][a-z0-9_.*-]*";

/** Numbers, dates, strings, display strings, tokens, bytes and booleans (RFC 9651 section 3.3). */
const bareItem = [
  "-?\\d{1,12}\\.\\d{1,3}",
  "@?-?\\d{1,15}",
  '"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"',
  '%"(?:[ !#$&-~]|%[0-9a-f]{2})*"',
  "[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*",
  ":[A-Za-z0-9+/=]*:",
  "\\?[01]",
]
  .map((pattern) => `(?:${pattern})`)
  .join("|");

const parameters = `(?:; *${key}(?:=(?:${bareItem}))?)*`;
const item = `(?:${bareItem})${parameters}`;
/** Blanks have one place each: with two, a long row of them would be divided in all ways before it fails. */
const innerList = `\\( *(?:${item}(?: +${item})* *)?\\)`;

/** `undefined`: the directive does not count. */
function argumentOf(name: string, value: string): string | undefined {
  // A negative number is one that makes a response stale.
  if (withSeconds.has(name)) return /^-?\d+$/.test(value) ? value : undefined;
  if (value === "?0") return undefined;
  if (value.startsWith('"')) return value.slice(1, -1).replace(/\\(.)/g, "$1");
  return /^[A-Za-z*\d]/.test(value) ? value : "";
}

const withSeconds: ReadonlySet<string> = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);
