// Evaluates the preconditions of a request (RFC 9110 section 13).

import { parseHTTPDate } from "@hemi/common";
import type { Fields } from "../../http/fields.ts";

/** Identifies one state of a representation. */
export interface Validators {
  /** As sent: `"abc"`, or `W/"abc"` for a weak one. */
  readonly etag: string | undefined;
  /** Seconds since the epoch, an integer. */
  readonly lastModified: number | undefined;
  /**
   * When a stored response was generated, in seconds since the epoch: it stands in for a missing `lastModified` where a
   * client asks with `if-modified-since` (RFC 9111 section 4.3.2), and tells whether `lastModified` is a strong
   * validator.
   */
  readonly date?: number | undefined;
}

/**
 * In the order of RFC 9110 section 13.2.2. 304: the client has the current representation; 412: the condition failed.
 * `validators` is `undefined` if there is no current representation, for example if a PUT creates one. Invalid dates
 * are ignored. Call this only if the response without conditions would be a 2xx, and call `isRangeCurrent` only after
 * it.
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
  const modified = validators?.lastModified ?? validators?.date;
  if (!isRead || modified === undefined) return "proceed";
  const since = dateOf(fields.get("if-modified-since"));
  return since !== undefined && modified <= since ? 304 : "proceed";
}

/**
 * Whether `Range` may be used under the condition `If-Range`; otherwise the complete content is sent. Entity tags use
 * strong comparison; a date must be exactly equal (RFC 9110 section 13.1.5).
 */
export function isRangeCurrent(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === validators.etag;
  const since = dateOf(ifRange);
  const { lastModified, date } = validators;
  // Within that second, the representation may have changed again (section 8.8.2.2).
  const isStrong = date === undefined || lastModified === undefined || lastModified < date;
  return since !== undefined && since === lastModified && isStrong;
}

function dateOf(field: string | undefined): number | undefined {
  return field === undefined ? undefined : parseHTTPDate(field);
}

/**
 * Whether a list of entity tags, or `*`, includes the current representation. A list is valid up to its first syntax
 * error.
 */
function isListed(list: string, validators: Validators | undefined, comparison: "strong" | "weak"): boolean {
  if (list === "*") return validators !== undefined;
  const etag = validators?.etag;
  if (etag === undefined) return false;
  // The usual field of browsers: a single tag.
  if (list === etag) return comparison === "weak" || !isWeak(etag);
  // Not split at commas: a tag may contain them.
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
