// The formats of a connection log that have names.
//
// combined, for readers of the logs of Apache and nginx: the places of the request, its referer and user agent have the
// destination with the case, the server name, and the node.
//
//   192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] "TLS 192.0.2.9:443 mail" 200 1234 "a.example" "10.0.0.1:993"
//
// json: an object with the keys of `formatJSON`, always all of them and in this order; more may come at the end.

import { formatAddress } from "../../component/props/addresses.ts";
import { templateFormat, type TrafficLogFormat } from "../../front/traffic-log/format.ts";
import { escapeQuoted } from "../../log/lines/escape.ts";
import type { LineFormat, LineWriter } from "../../log/lines/line-writer.ts";
import { combinedTime, isoTime, milliseconds } from "../../log/lines/times.ts";
import { connLogVariables } from "./conn-log-variables.ts";
import { statusOf, type ConnEntry } from "./conn-entry.ts";

export type ConnLineFormat = LineFormat<ConnEntry>;

export function connLineFormat(choice: TrafficLogFormat): ConnLineFormat {
  if (choice === "combined") return formatCombined;
  return choice === "json" ? formatJSON : templateFormat(choice, connLogVariables);
}

function formatCombined({ conn, time, endReason, serverName }: ConnEntry, line: LineWriter): void {
  const destination = formatAddress({ host: conn.dstHost, port: conn.dstPort });
  const quoted = (text: string): string => `"${escapeQuoted(text) || "-"}"`;
  line.add(
    `${conn.srcHost || "-"} - - [${combinedTime(time)}] ` +
      `${quoted(`${conn.transport.toUpperCase()} ${destination} ${conn.caseName || "-"}`)} ` +
      `${statusOf(endReason)} ${conn.bytesSent} ${quoted(serverName)} ${quoted(conn.node)}\n`,
  );
}

function formatJSON(entry: ConnEntry, line: LineWriter): void {
  const { conn } = entry;
  const { srcHost, srcPort, dstHost, dstPort, transport, caseName, node, bytesReceived, bytesSent } = conn;
  const { serverName, nextProto, protocol, endReason } = entry;
  const texts = { time: isoTime(entry.time), srcHost, srcPort, dstHost, dstPort, transport, serverName, nextProto };
  const result = { protocol, case: caseName, node, bytesReceived, bytesSent, endReason };
  const times = `"connectTime":${milliseconds(entry.connectTime)},"totalTime":${milliseconds(entry.totalTime)}`;
  const notes = conn.notes === undefined ? "" : `,"notes":${asciiJSON(conn.notes)}`;
  line.add(`${asciiJSON({ ...texts, ...result }).slice(0, -1)},${times}${notes}}\n`);
}

/** Peers choose some of the texts: beyond ASCII, they are escaped, as in access logs. */
function asciiJSON(value: object): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
