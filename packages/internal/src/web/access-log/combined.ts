// The combined log format of Apache and nginx: one line for each request.
//
//   192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a?b HTTP/1.1" 200 1234 "https://a.example/" "curl/8.5.0"
//   client        date                         request line        status, bytes  referer        user agent
//
// The third field, the user that a client says it is, is always `-`: credentials have no place in a log.

import { escapeQuoted } from "../../log/lines/escape.ts";
import { flat } from "../../log/lines/flat.ts";
import type { LineFormat } from "../../log/lines/line-writer.ts";
import { Memo } from "../../log/lines/memo.ts";
import { combinedTime } from "../../log/lines/times.ts";
import type { AccessEntry } from "./access-entry.ts";
import { HeadMemo } from "./head-memo.ts";
import type { RedactURI } from "./redact.ts";

/** All text from the peer is between quotes, and cannot leave them. */
export function combinedFormat(redact: RedactURI): LineFormat<AccessEntry> {
  const clients = new Memo((host) => `${escapeQuoted(host) || "-"} - - [`);
  const targets = new Memo((target) => escapeQuoted(redact(target)));
  const referers = new Memo((referer) => ` "${escapeQuoted(redact(referer)) || "-"}" "`);
  const userAgents = new Memo((userAgent) => `${escapeQuoted(userAgent) || "-"}"\n`);
  const heads = new HeadMemo((req) => ({
    before: `] "${escapeQuoted(req.method)} `,
    behind: referers.get(req.header("referer") ?? "") + userAgents.get(req.header("user-agent") ?? ""),
  }));
  return function writeCombined(entry, line) {
    const { req } = entry;
    const { originalURI } = req;
    line.add(clients.get(req.srcHost));
    line.add(combinedTime(entry.time));
    // CONNECT has no path, but an authority.
    heads.addTo(line, req, targets.get(originalURI === "" ? req.authority : originalURI), resultText(entry));
  };
}

/** Most answers that follow each other end alike. */
function resultText({ req: { version }, status, contentSent }: AccessEntry): string {
  const last = latestResult;
  if (status === last.status && contentSent === last.contentSent && version === last.version) return last.text;
  const text = flat(` HTTP/${version}" ${status} ${contentSent}`);
  latestResult = { version, status, contentSent, text };
  return text;
}

let latestResult = { version: "", status: NaN, contentSent: NaN, text: "" };
