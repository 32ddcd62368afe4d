// Writes the heads of HTTP/1 responses (RFC 9112 sections 4 to 6).

import { STATUS_CODES } from "node:http";

/** How a response tells its client where the content ends. */
export type ResponseFraming =
  /** `content-length`, in bytes. */
  | { readonly type: "sized"; readonly size: number }
  | { readonly type: "chunked" }
  /** By the end of the connection: HTTP/1.0 clients and unsized content. */
  | { readonly type: "until close" }
  /** No framing field: 1xx, 204, and 304 or answers to HEAD of unknown size. */
  | { readonly type: "none" };

export const chunkedFraming: ResponseFraming = { type: "chunked" };
export const untilCloseFraming: ResponseFraming = { type: "until close" };
export const noFraming: ResponseFraming = { type: "none" };

/** `HTTP/1.1 200 OK` with its line end; unknown codes get an empty reason phrase. We always speak 1.1 (RFC 9110 6.2). */
export function statusLine(status: number): string {
  return statusLines[status] ?? `HTTP/1.1 ${status} \r\n`;
}

/** Field lines from a list of names and values in turn. */
export function fieldLines(fieldList: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < fieldList.length; i += 2) lines += fieldList[i] + ": " + fieldList[i + 1] + "\r\n";
  return lines;
}

/** Does a response of this status never have content (RFC 9110 6.4.1)? */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

const statusLines: string[] = [];
for (const [status, reason] of Object.entries(STATUS_CODES)) {
  statusLines[Number(status)] = `HTTP/1.1 ${status} ${reason ?? ""}\r\n`;
}
