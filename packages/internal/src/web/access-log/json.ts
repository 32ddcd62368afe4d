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
import type { LineFormat } from "../../log/lines/line-writer.ts";
import type { AccessEntry } from "./access-entry.ts";
import { escapeJSON } from "../../log/lines/escape.ts";
import { HeadMemo } from "./head-memo.ts";
import { Memo } from "../../log/lines/memo.ts";
import type { RedactURI } from "./redact.ts";
import { isoTime, milliseconds } from "../../log/lines/times.ts";
import { idEndOf, idStartOf } from "../request/request-id.ts";

/** Each piece costs when the line is written: those that can be are made once, with the keys around them. */
export function jsonFormat(redact: RedactURI): LineFormat<AccessEntry> {
  const srcHosts = new Memo((host) => `","srcHost":"${escapeJSON(host)}","srcPort":`);
  const methods = new Memo((method) => `,"method":"${escapeJSON(method)}","scheme":"`);
  const authorities = new Memo((authority) => `","authority":"${escapeJSON(authority)}","uri":"`);
  const uris = new Memo((uri) => escapeJSON(redact(uri)));
  const referers = new Memo((referer) => `,"referer":"${escapeJSON(redact(referer))}"`);
  const userAgents = new Memo((userAgent) => `,"userAgent":"${escapeJSON(userAgent)}"`);
  const heads = new HeadMemo((req) => ({
    before:
      srcHosts.get(req.srcHost) + req.srcPort + methods.get(req.method) + req.scheme + authorities.get(req.authority),
    behind: referers.get(req.header("referer") ?? "") + userAgents.get(req.header("user-agent") ?? ""),
  }));
  return function writeJSON(entry, line) {
    const { req } = entry;
    line.add(beginning(entry.time, idStartOf(req.idNumber)));
    line.add(idEndOf(req.idNumber));
    heads.addTo(line, req, uris.get(req.originalURI), resultText(entry));
    line.add(timesText(entry));
  };
}

/** What the lines of one millisecond begin with. */
function beginning(time: number, idStart: string): string {
  const last = latestBeginning;
  if (time === last.time && idStart === last.idStart) return last.text;
  const text = flat(`{"time":"${isoTime(time)}","requestId":"${idStart}`);
  latestBeginning = { time, idStart, text };
  return text;
}

/** Most answers that follow each other end alike. */
function resultText({ req: { version }, status, contentSent, endReason }: AccessEntry): string {
  const last = latestResult;
  const isSame = status === last.status && contentSent === last.contentSent && endReason === last.endReason;
  if (isSame && version === last.version) return last.text;
  const result = `"status":${status},"contentSent":${contentSent},"endReason":"${endReason}"`;
  const text = flat(`","version":"${version}",${result}`);
  latestResult = { version, status, contentSent, endReason, text };
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

let latestBeginning = { time: NaN, idStart: "", text: "" };
let latestResult = { version: "", status: NaN, contentSent: NaN, endReason: "", text: "" };

/** Of answers that were sent at once, by their microseconds. */
const timesAtOnce: string[] = [];
const maxAtOnce = 1000;
