// What a connection needs of the server that it belongs to.

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { Peer } from "../net/peer.ts";
import type { ExchanWire } from "../http/exchan.ts";
import type { HeadLimits } from "./head.ts";
import type { ContentLimits } from "./message-content.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** What a connection waits for, at most how long, and how much it takes. All durations in ms, all sizes in bytes. */
export interface Http1Settings extends HeadLimits, ContentLimits {
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
  readonly contentRateGrace: number;
  /** Until a handlet sends its head, and between two pieces that it sends. */
  readonly handleTimeout: number;
  /** Without the client taking anything of what is sent. */
  readonly writeTimeout: number;
  /** Between two pieces of what a client still sends after we have shut our side. */
  readonly lingerTimeout: number;
  /** What comes later than that after we have shut our side ends the connection. */
  readonly maxLingerTime: number;
  /** Of input that comes while a request is served and that nobody asks for; then the socket is paused. */
  readonly maxBufferedInput: number;
  readonly maxRequestsPerConn: number;
}

export interface Http1Host {
  readonly settings: Http1Settings;
  /** `date: …` with its line end. */
  readonly dateLine: string;
  readonly wholeResponses: WholeResponses;
  makeDeadline(onExpired: () => void): Deadline;
  /** Monotonic, in ms. */
  monotonic(): number;
  /** Answers a request through its wire. Never throws. */
  serve(wire: ExchanWire): void;
  /** Notes in the error log what a client did or failed to do. */
  note(peer: Peer, message: string): void;
  /** Notes in the error log what was thrown while a connection was served: a fault of ours, or of what serves its requests. */
  failed(peer: Peer, error: unknown): void;
  /** Is what a client begins with, and is no HTTP/1, a protocol that is served by someone else here? "perhaps": it takes more of it to tell. */
  speaksOther(bytes: Buffer): boolean | "perhaps";
  /** Lets someone else serve that client, whose socket is paused, all its bytes in it; the connection has done its part. */
  handOver(conn: object, socket: Socket): void;
  /** A connection is over, by its client or by us. */
  connClosed(conn: object): void;
}
