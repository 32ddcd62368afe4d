// What a connection log knows of a connection, or of a session of datagrams, when it is over.

import type { Trace } from "../../operator/trace.ts";
import type { ConnFacts } from "../facts.ts";
import { known } from "../facts.ts";
import type { ConnEndReason } from "../end-reason.ts";

/** A connection as its log sees it, once it is over. */
export interface LoggedConn extends ConnFacts {
  /** The port of `peerHost`. */
  readonly peerPort: number;
  /** How many bytes have come from the client, and were sent to it. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** The name of the case that has matched, or its place, such as `case.2`; "" for none. */
  readonly caseName: string;
  /** The node that served it; "" for none. */
  readonly node: string;
  /** On the monotonic clock, in milliseconds: its beginning, and when it got its node; `undefined` for none. */
  readonly beganAt: number;
  readonly servedAt: number | undefined;
  /** `undefined`: it is not traced. */
  readonly trace: Trace | undefined;
  /** What its dealet has counted; `undefined`: nothing. */
  readonly notes: ConnNotes | undefined;
}

/** What a dealet tells the log of a connection: counts and names. Never a secret. */
export type ConnNotes = Readonly<Record<string, string | number>>;

export interface ConnEntry {
  readonly conn: LoggedConn;
  readonly endReason: ConnEndReason;
  /** When the connection came, in milliseconds since the epoch. */
  readonly time: number;
  /** From then until its node was connected, in milliseconds; 0 without one. */
  readonly connectTime: number;
  /** From its beginning to its end, in milliseconds. */
  readonly totalTime: number;
  /** As far as some case has asked for them. */
  readonly serverName: string;
  readonly nextProto: string;
  readonly protocol: string;
}

/** `now`: on the monotonic clock. */
export function connEntry(conn: LoggedConn, endReason: ConnEndReason, now: number, time: number): ConnEntry {
  return {
    conn,
    endReason,
    time,
    connectTime: conn.servedAt === undefined ? 0 : conn.servedAt - conn.beganAt,
    totalTime: now - conn.beganAt,
    serverName: known(conn.serverName),
    nextProto: known(conn.nextProto),
    protocol: known(conn.protocol),
  };
}

/**
 * A status as in HTTP, for readers of logs that know nothing of connections: 200, 403 (refused, or taken by no case),
 * 408 (idle, or too long), 499 (the client broke off), 500, 502 (the node broke off, or is down), 503.
 */
export function statusOf(reason: ConnEndReason): number {
  switch (reason) {
    case "complete":
    case "handedOver":
      return 200;
    case "refused":
    case "notTaken":
      return 403;
    case "idleTimeout":
    case "maxDuration":
      return 408;
    case "clientAborted":
      return 499;
    case "nodeAborted":
    case "nodeDown":
      return 502;
    case "noNode":
    case "shutdown":
      return 503;
    case "error":
      return 500;
  }
}
