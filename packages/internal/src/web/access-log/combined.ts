// The combined log format of Apache and nginx: one line for each request.
//
//   192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a?b HTTP/1.1" 200 1234 "https://a.example/" "curl/8.5.0"
//   client        date                         request line        status, bytes  referer        user agent
//
// The third field, the user that a client says it is, is always `-`: credentials have no place in a log.

import type { Request } from "../request.ts";

/** What a line tells beyond its request. */
export interface AccessFacts {
  /** As `combinedDate` writes it. */
  readonly date: string;
  /** Of the answer; `undefined` if the client left before one was sent. */
  readonly status: number | undefined;
  /** Content in bytes. */
  readonly contentSent: number;
}

/** A line with its end. All that comes from the peer stands between quotes, and cannot leave them. */
export function formatCombined(req: Request, { date, status = leftEarly, contentSent }: AccessFacts): string {
  const { method, version } = req;
  // CONNECT has no path, but an authority.
  const target = req.uri === "" ? req.authority : req.uri;
  const requestLine = escapeQuoted(`${method} ${target} HTTP/${version}`);
  const referer = escapeQuoted(req.header("referer") ?? "-");
  const userAgent = escapeQuoted(req.header("user-agent") ?? "-");
  const client = req.srcHost === "" ? "-" : escapeQuoted(req.srcHost);
  return `${client} - - [${date}] "${requestLine}" ${status} ${contentSent} "${referer}" "${userAgent}"\n`;
}

/** `Sat, 31 Jan 2026 12:00:00 GMT` as `31/Jan/2026:12:00:00 +0000`. */
export function combinedDate(httpDate: string): string {
  return `${httpDate.slice(5, 7)}/${httpDate.slice(8, 11)}/${httpDate.slice(12, 16)}:${httpDate.slice(17, 25)} +0000`;
}

/** What stands for a status where there was none, as nginx does it: its readers know the number. */
const leftEarly = 499;

/** As nginx: quotes, backslashes and all that is not printable ASCII as `\xHH`. Bytes of a peer stay those bytes, whatever they were to mean. */
function escapeQuoted(text: string): string {
  return text.replace(unsafe, escapeOne);
}

const unsafe = /[^\x20-\x7e]|["\\]/g;

function escapeOne(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}
