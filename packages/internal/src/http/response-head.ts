// Writes the heads of HTTP/1 responses (RFC 9112 sections 4 to 6).

import { reasonPhrase } from "@hemi/common";

/**
 * `HTTP/1.1 200 OK` with its line end; unknown codes get an empty reason phrase, unless one is given, which must be
 * checked. We always speak 1.1 (RFC 9110 6.2).
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

/** By status code; three digits, so that there are few. */
const statusLines: string[] = [];
