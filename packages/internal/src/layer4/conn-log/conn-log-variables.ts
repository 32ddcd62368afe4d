// The $variables of a connection log: those of cases, and those of a connection that is over.

import type { VariableReader, VariableTable } from "../../component/variables.ts";
import { isoTime, milliseconds } from "../../log/lines/times.ts";
import { connVariables } from "../variables.ts";
import { statusOf, type ConnEntry } from "./conn-entry.ts";

const ofEntry: Readonly<Record<string, VariableReader<ConnEntry>>> = {
  /** When the connection came: `2026-01-31T12:00:00.000Z`. */
  time: ({ time }) => isoTime(time),
  /** See `statusOf`. */
  status: ({ endReason }) => String(statusOf(endReason)),
  /** One word of `ConnEndReason`. */
  endReason: ({ endReason }) => endReason,
  /** The case that has matched. */
  case: ({ conn }) => conn.caseName,
  /** The node that served it. */
  node: ({ conn }) => conn.node,
  /** In bytes: from the client, and to it. */
  bytesReceived: ({ conn }) => String(conn.bytesReceived),
  bytesSent: ({ conn }) => String(conn.bytesSent),
  /** What the dealet has counted: `queries=3`, joined by spaces. */
  notes: ({ conn: { notes = {} } }) =>
    Object.entries(notes)
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  /** In milliseconds, with three decimal places. */
  connectTime: ({ connectTime }) => milliseconds(connectTime),
  totalTime: ({ totalTime }) => milliseconds(totalTime),
  /** The other end of the connection: the client or a proxy. */
  peerHost: ({ conn }) => conn.peerHost,
  peerPort: ({ conn }) => String(conn.peerPort),
  /** As far as some case has asked for them. */
  serverName: ({ serverName }) => serverName,
  hostname: ({ serverName }) => serverName,
  nextProto: ({ nextProto }) => nextProto,
  protocol: ({ protocol }) => protocol,
};

export const connLogVariables: VariableTable<ConnEntry> = {
  names: [...new Set([...Object.keys(ofEntry), ...connVariables.names])],
  find(name) {
    if (Object.hasOwn(ofEntry, name)) return ofEntry[name];
    const read = connVariables.find(name);
    return read && (({ conn }) => read(conn));
  },
};
