// The combined log format of Apache and nginx: one line for each request.
//
//   192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a?b HTTP/1.1" 200 1234 "https://a.example/" "curl/8.5.0"
//   client        date                         request line        status, bytes  referer        user agent
//
// The third field, the user that a client says it is, is always `-`: credentials have no place in a log.

import type { LineFormat } from "./access-entry.ts";
import { escapeQuoted } from "../../log/lines/escape.ts";
import { Memo } from "../../log/lines/memo.ts";
import type { RedactURI } from "./redact.ts";
import { combinedTime } from "../../log/lines/times.ts";

/** All text from the peer is between quotes, and cannot leave them. */
export function combinedFormat(redact: RedactURI): LineFormat {
  const clients = new Memo((host) => `${escapeQuoted(host) || "-"} - - [`);
  const methods = new Memo((method) => `] "${escapeQuoted(method)} `);
  const targets = new Memo((target) => `${escapeQuoted(redact(target))} HTTP/`);
  const referers = new Memo((referer) => ` "${escapeQuoted(redact(referer)) || "-"}" "`);
  const userAgents = new Memo((userAgent) => `${escapeQuoted(userAgent) || "-"}"\n`);
  return function formatCombined({ req, time, status, contentSent }) {
    const { originalURI } = req;
    // CONNECT has no path, but an authority.
    const target = originalURI === "" ? req.authority : originalURI;
    return (
      `${clients.get(req.srcHost)}${combinedTime(time)}${methods.get(req.method)}${targets.get(target)}${req.version}` +
      `" ${status} ${contentSent}${referers.get(req.header("referer") ?? "")}` +
      userAgents.get(req.header("user-agent") ?? "")
    );
  };
}
