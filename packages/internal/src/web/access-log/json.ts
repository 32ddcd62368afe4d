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

import { flat } from "../flat.ts";
import type { LineFormat } from "./access-entry.ts";
import { escapeJSON } from "./escape.ts";
import { HeadMemo } from "./head-memo.ts";
import { Memo } from "./memo.ts";
import type { RedactURI } from "./redact.ts";
import { isoTime, milliseconds } from "./times.ts";

/** Each piece that is joined costs when the line is written: those that can be are made once, with the keys around them. */
export function jsonFormat(redact: RedactURI): LineFormat {
  const srcHosts = new Memo((host) => `","srcHost":"${escapeJSON(host)}","srcPort":`);
  const methods = new Memo((method) => `,"method":"${escapeJSON(method)}","scheme":"`);
  const authorities = new Memo((authority) => `","authority":"${escapeJSON(authority)}"`);
  const uris = new Memo((uri) => `,"uri":"${escapeJSON(redact(uri))}","version":"`);
  const referers = new Memo((referer) => `,"referer":"${escapeJSON(redact(referer))}"`);
  const userAgents = new Memo((userAgent) => `,"userAgent":"${escapeJSON(userAgent)}"`);
  const heads = new HeadMemo((req) => ({
    before:
      srcHosts.get(req.srcHost) +
      req.srcPort +
      methods.get(req.method) +
      req.scheme +
      authorities.get(req.authority) +
      uris.get(req.originalURI) +
      req.version,
    behind: referers.get(req.header("referer") ?? "") + userAgents.get(req.header("user-agent") ?? ""),
  }));
  const statuses: string[] = [];
  const ends = new Memo((reason) => `,"endReason":"${reason}"`);
  /** The times of an answer that was sent at once, by its microseconds. */
  const shortTimes: string[] = [];
  return function formatJSON(entry) {
    const { req, headTime, sendTime, handleTime } = entry;
    const head = heads.get(req);
    return (
      `{"time":"${isoTime(entry.time)}","requestId":"${req.id}${head.before}` +
      (statuses[entry.status] ??= flat(`","status":${entry.status},"contentSent":`)) +
      entry.contentSent +
      ends.get(entry.endReason) +
      head.behind +
      (headTime === 0 && sendTime === 0
        ? timesAtOnce(handleTime)
        : times(headTime, handleTime, sendTime, entry.totalTime))
    );
  };

  function timesAtOnce(handleTime: number): string {
    const micros = Math.round(handleTime * 1000);
    if (micros < 0 || micros >= maxShort) return times(0, handleTime, 0, handleTime);
    return (shortTimes[micros] ??= flat(times(0, handleTime, 0, handleTime)));
  }
}

function times(head: number, handle: number, send: number, total: number): string {
  return (
    `,"headTime":${milliseconds(head)},"handleTime":${milliseconds(handle)},"sendTime":${milliseconds(send)}` +
    `,"totalTime":${milliseconds(total)}}\n`
  );
}

/** In microseconds. */
const maxShort = 1000;
