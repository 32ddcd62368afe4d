// What the connections of all HTTP versions need of the server that they belong to. A codec adds what it alone needs.
//
//   socket ──> new Conn(socket, peer, tls, server) ── ExchanWire ──> server.serve
//                   │ drain(), destroy() <── server
//                   └ server.closed(conn), once

import type { Deadline } from "@hemi/common";
import type { GateConn } from "../front/gate.ts";
import type { Peer } from "../net/peer.ts";
import type { ExchanWire } from "./exchan.ts";
import type { HeadLimits } from "./head-limits.ts";

/**
 * What a connection waits for and at most how long, and how much it takes. All durations in ms, all sizes in bytes.
 * Looked at whenever they are used: live. `httpxServer` says what each is, and what happens at it.
 */
export interface CodecSettings extends HeadLimits {
  /** Of a request target; a longer one gets 414. */
  readonly maxTargetSize: number;
  /** May targets hold bytes above ASCII? Default: no. */
  readonly rawUTF8InTargets?: boolean;
  /** Between two requests. */
  readonly idleTimeout: number;
  /** Instead of that while the server drains. */
  readonly drainIdleTimeout: number;
  /** From the first byte of a head to its last. */
  readonly headTimeout: number;
  /** Between two pieces of content. */
  readonly contentTimeout: number;
  /** Bytes a second that content must come in at, on average, once it has been waited for as long as the grace says. */
  readonly minContentRate: number;
  /** Content that has not been waited for longer than this may come at any rate. */
  readonly contentRateGrace: number;
  /** Until a handlet sends its head, and between two pieces that it sends. */
  readonly handleTimeout: number;
  /** Without the client taking anything of what is sent. */
  readonly writeTimeout: number;
  /** Between two pieces of what a client still sends after we have shut our side. */
  readonly lingerTimeout: number;
  /** What comes later than that after we have shut our side ends the connection. */
  readonly maxLingerTime: number;
  /** Requests on one connection; it ends after the last one. */
  readonly maxRequestsPerConn: number;
}

/** The server of a connection, as its codec sees it. */
export interface CodecServer {
  /** Live: read when used. */
  readonly settings: CodecSettings;
  /** The present, as the field `date` has it. */
  readonly date: string;
  /** Makes a deadline that is not yet set. `onExpired` is called once for each time that it runs out. */
  makeDeadline(onExpired: () => void): Deadline;
  /** Monotonic, in ms. */
  monotonic(): number;
  /** For how long the process has stood while deadlines were set, in ms: no client can help that. */
  readonly stood: number;
  /**
   * Answers a request through its wire, now or later. Never throws. `isFirst`: the runtime has just called, outside of
   * all asynchronous contexts, and nothing has been served since. Default: false.
   */
  serve(wire: ExchanWire, isFirst?: boolean): void;
  /** Notes in the error log what a client did or failed to do. */
  note(peer: Peer, message: string): void;
  /** The same for a request that the codec has refused with this status: it is counted, too. */
  requestRefused(peer: Peer, status: number, reason: string): void;
  /**
   * Notes in the error log what was thrown while a connection was served: a fault of ours, or of what serves its
   * requests.
   */
  failed(peer: Peer, error: unknown): void;
  /** A connection is over, by its client or by us. */
  closed(conn: GateConn): void;
}
