// Whether a request's conditions let it proceed (RFC 9110 section 13).

import { parseHTTPDate } from "@hemi/common";
import type { Fields } from "../../http/fields.ts";

/** What tells one state of a representation from another. */
export interface Validators {
  /** As it is sent: `"abc"`, or `W/"abc"` for a weak one. */
  readonly etag: string | undefined;
  /** Whole seconds since the epoch. */
  readonly lastModified: number | undefined;
}

/**
 * In the order of RFC 9110 section 13.2.2. 304: the client has the current representation; 412: the condition failed.
 * `validators` is `undefined` where there is no current representation, as when a PUT is to make one. Dates that cannot
 * be read are ignored. Ask this only where the answer without conditions would be a 2xx, and only then ask
 * `isRangeCurrent`.
 */
export function evaluatePreconditions(
  method: string,
  fields: Pick<Fields, "get">,
  validators: Validators | undefined,
): "proceed" | 304 | 412 {
  const isRead = method === "GET" || method === "HEAD";
  const ifMatch = fields.get("if-match");
  if (ifMatch !== undefined) {
    if (!isListed(ifMatch, validators, "strong")) return 412;
  } else {
    const since = dateOf(fields.get("if-unmodified-since"));
    if (since !== undefined && validators?.lastModified !== undefined && validators.lastModified > since) return 412;
  }
  const ifNoneMatch = fields.get("if-none-match");
  if (ifNoneMatch !== undefined) return !isListed(ifNoneMatch, validators, "weak") ? "proceed" : isRead ? 304 : 412;
  if (!isRead || validators?.lastModified === undefined) return "proceed";
  const since = dateOf(fields.get("if-modified-since"));
  return since !== undefined && validators.lastModified <= since ? 304 : "proceed";
}

/**
 * Whether `Range` may be followed, as the value of `If-Range` demands it: if not, the whole is sent. An entity tag is
 * compared strongly; a date must be exactly the one that was sent (RFC 9110 section 13.1.5).
 */
export function isRangeCurrent(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === validators.etag;
  const date = dateOf(ifRange);
  return date !== undefined && date === validators.lastModified;
}

function dateOf(field: string | undefined): number | undefined {
  return field === undefined ? undefined : parseHTTPDate(field);
}

/** Whether a list of entity tags, or `*`, covers the current representation. A list counts up to its first mistake. */
function isListed(list: string, validators: Validators | undefined, comparison: "strong" | "weak"): boolean {
  if (list === "*") return validators !== undefined;
  const etag = validators?.etag;
  if (etag === undefined) return false;
  // What nearly every browser sends: the one tag that it was given.
  if (list === etag) return comparison === "weak" || !isWeak(etag);
  // Not cut at commas: a tag may hold them.
  const element = /[ \t,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y;
  for (let found = element.exec(list); found !== null; found = element.exec(list)) {
    if (areSame(found[1] ?? "", etag, comparison)) return true;
  }
  return false;
}

/** RFC 9110 section 8.8.3.2. */
function areSame(one: string, other: string, comparison: "strong" | "weak"): boolean {
  return comparison === "weak" ? opaqueTagOf(one) === opaqueTagOf(other) : one === other && !isWeak(one);
}

function isWeak(etag: string): boolean {
  return etag.startsWith("W/");
}

function opaqueTagOf(etag: string): string {
  return isWeak(etag) ? etag.slice(2) : etag;
}
