// One JSON object a line. Its keys are those below, always all of them and in this order; more may come at the end.
//
//   time          string  when the head was complete, in UTC: "2026-01-31T12:00:00.000Z"
//   requestId     string  that of the error log
//   srcHost       string  the client's address; "" over a UNIX socket
//   srcPort       number  0 over a UNIX socket
//   method        string
//   scheme        string  "http" or "https"
//   authority     string  host and port
//   uri           string  encoded path and query, as the client asked for it; "" for CONNECT
//   version       string  "1.1"
//   status        number  499 if the client left before there was one
//   contentSent   number  in bytes, without heads and framing
//   endReason     string  a word of EndReason
//   referer       string  "" if there was none
//   userAgent     string  "" if there was none
//   headTime, handleTime, sendTime, totalTime   numbers, in ms

import type { LineFormat } from "./access-entry.ts";
import { escapeJSON } from "./escape.ts";
import { flat, Memo } from "./memo.ts";
import type { RedactURI } from "./redact.ts";
import { isoTime, milliseconds } from "./times.ts";

/** Each piece that is joined costs when the line is written: those that can be are made once, with the key that they stand behind. */
export function jsonFormat(redact: RedactURI): LineFormat {
  const srcHosts = new Memo((host) => `","srcHost":"${escapeJSON(host)}","srcPort":`);
  const methods = new Memo((method) => `,"method":"${escapeJSON(method)}","scheme":"`);
  const authorities = new Memo((authority) => `","authority":"${escapeJSON(authority)}"`);
  const uris = new Memo((uri) => `,"uri":"${escapeJSON(redact(uri))}","version":"`);
  const referers = new Memo((referer) => `,"referer":"${escapeJSON(redact(referer))}"`);
  const userAgents = new Memo((userAgent) => `,"userAgent":"${escapeJSON(userAgent)}"`);
  const statuses: string[] = [];
  const ends = new Memo((reason) => `,"endReason":"${reason}"`);
  return function formatJSON(entry) {
    const { req, headTime, sendTime } = entry;
    const handleText = milliseconds(entry.handleTime);
    const times =
      headTime === 0 && sendTime === 0
        ? `,"headTime":0.000,"handleTime":${handleText},"sendTime":0.000,"totalTime":${handleText}}\n`
        : `,"headTime":${milliseconds(headTime)},"handleTime":${handleText},"sendTime":${milliseconds(sendTime)}` +
          `,"totalTime":${milliseconds(entry.totalTime)}}\n`;
    return (
      `{"time":"${isoTime(entry.time)}","requestId":"${req.id}${srcHosts.get(req.srcHost)}${req.srcPort}` +
      methods.get(req.method) +
      req.scheme +
      authorities.get(req.authority) +
      uris.get(req.originalURI) +
      req.version +
      (statuses[entry.status] ??= flat(`","status":${entry.status},"contentSent":`)) +
      entry.contentSent +
      ends.get(entry.endReason) +
      referers.get(req.header("referer") ?? "") +
      userAgents.get(req.header("user-agent") ?? "") +
      times
    );
  };
}
