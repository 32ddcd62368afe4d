// Writes the heads of HTTP/1 responses (RFC 9112 sections 4 to 6).

import { reasonPhrase } from "@hemi/common";

/**
 * How a response tells its client where the content ends: by `content-length`; by the chunked coding; by the end of the
 * connection, for HTTP/1.0 and unsized content; or not at all, because there is none: HEAD, 1xx, 204 and 304.
 */
export type ResponseFraming = "sized" | "chunked" | "until close" | "none";

/**
 * `HTTP/1.1 200 OK` with its line end; unknown codes get an empty reason phrase, unless one is given, which must be checked. We always speak 1.1
 * (RFC 9110 6.2).
 */
export function statusLine(status: number, reason?: string): string {
  if (reason !== undefined) return `HTTP/1.1 ${status} ${reason}\r\n`;
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
}

/** Field lines from a list of names and values in turn. */
export function fieldLines(fieldList: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < fieldList.length; i += 2) lines += fieldList[i] + ": " + fieldList[i + 1] + "\r\n";
  return lines;
}

/** Does the list bring a `date`? What a proxy passes on has that of its origin, which stays (RFC 9110 6.6.1). */
export function hasDate(fieldList: readonly string[]): boolean {
  for (let i = 0; i < fieldList.length; i += 2) if (fieldList[i] === "date") return true;
  return false;
}

/** Does a response of this status never have content (RFC 9110 6.4.1)? */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

/** By status code; three digits, so that there are few. */
const statusLines: string[] = [];
