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

import { flat } from "../../log/lines/flat.ts";
import type { AccessEntry, LineFormat } from "./access-entry.ts";
import { escapeJSON } from "../../log/lines/escape.ts";
import { HeadMemo } from "./head-memo.ts";
import { Memo } from "../../log/lines/memo.ts";
import type { RedactURI } from "./redact.ts";
import { isoTime, milliseconds } from "../../log/lines/times.ts";

/**
 * Each piece that is joined costs when the line is written: those that can be are made once, with the keys around them.
 */
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
  return function formatJSON(entry) {
    const head = heads.get(entry.req);
    return timeText(entry.time) + entry.req.id + head.before + resultText(entry) + head.behind + timesText(entry);
  };
}

/** What the lines of one millisecond begin with. */
function timeText(time: number): string {
  if (time !== latestTime.time) latestTime = { time, text: flat(`{"time":"${isoTime(time)}","requestId":"`) };
  return latestTime.text;
}

/** Most answers that follow each other end alike. */
function resultText({ status, contentSent, endReason }: AccessEntry): string {
  const last = latestResult;
  if (status === last.status && contentSent === last.contentSent && endReason === last.endReason) return last.text;
  const text = flat(`","status":${status},"contentSent":${contentSent},"endReason":"${endReason}"`);
  latestResult = { status, contentSent, endReason, text };
  return text;
}

function timesText({ headTime, handleTime, sendTime, totalTime }: AccessEntry): string {
  const micros = Math.round(handleTime * 1000);
  const isAtOnce = headTime === 0 && sendTime === 0 && micros >= 0 && micros < maxAtOnce;
  if (!isAtOnce) return joinTimes(headTime, handleTime, sendTime, totalTime);
  return (timesAtOnce[micros] ??= flat(joinTimes(0, handleTime, 0, handleTime)));
}

function joinTimes(head: number, handle: number, send: number, total: number): string {
  return (
    `,"headTime":${milliseconds(head)},"handleTime":${milliseconds(handle)},"sendTime":${milliseconds(send)}` +
    `,"totalTime":${milliseconds(total)}}\n`
  );
}

let latestTime = { time: NaN, text: "" };
let latestResult = { status: NaN, contentSent: NaN, endReason: "", text: "" };

/** Of answers that were sent at once, by their microseconds. */
const timesAtOnce: string[] = [];
const maxAtOnce = 1000;
