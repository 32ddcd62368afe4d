// The props of a backend that are about HTTP/3 alone.

import { prop, type HeadLimits, type PropsOf } from "@hemi/internal";

export const http3NodeProps = {
  /**
   * Connections to each node: another one is made when those that there are have all the requests that they can take at
   * once.
   */
  http3MaxConns: prop.integer({ default: 8, min: 1, max: 10_000, reload: "live" }),
  /** Requests at once on a connection. The node may want fewer, and gets fewer then. */
  http3MaxStreams: prop.integer({ default: 100, min: 1, max: 10_000, reload: "live" }),
  /**
   * Content of a response that a node may send before the client takes it: so much of it is kept in memory at most, for
   * each request. A slow client does not stop others on the same connection.
   */
  http3StreamWindow: prop.size({ default: "256K", min: "16K", max: "16M", reload: "live" }),
  /** A node that is silent for so long while requests are under way is sent a PING. 0: it never is. */
  pingInterval: prop.duration({ default: "20s", reload: "live" }),
  /**
   * If it does not answer that in this time, the connection is broken off, and what is under way on it has failed: see
   * `retryOn` of httpProxy.
   */
  pingTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /**
   * Frames and streams that bring neither a response nor content, such as unknown ones and empty DATA: such a number in
   * `http3FloodRecovery`, for each connection; more break it off. A large one counts as many.
   */
  http3MaxIdleFrames: prop.integer({ default: 10_000, min: 10, reload: "live" }),
  /**
   * Bytes of datagrams that bring no content of streams and acknowledge nothing, in `http3FloodRecovery`, for each
   * connection; more break it off.
   */
  http3MaxOverhead: prop.size({ default: "16M", min: "256K", reload: "live" }),
  /**
   * The time in which `http3MaxIdleFrames` and `http3MaxOverhead` are available again after they were used up, at an
   * even rate (a token bucket).
   */
  http3FloodRecovery: prop.duration({ default: "10s", min: "1ms", reload: "live" }),
  /** Size of the table of header fields that a node may fill (QPACK). 0: none. */
  qpackTableSize: prop.size({ default: "4K", max: "64K", reload: "live" }),
  /** Streams of a connection whose header fields may wait for that table; more break the connection off. */
  qpackBlockedStreams: prop.integer({ default: 16, max: 1000, reload: "live" }),
};

/** All durations in ms, all sizes in bytes. */
export interface Http3NodeSettings extends HeadLimits, PropsOf<typeof http3NodeProps> {
  readonly dialTimeout: number;
  readonly writeTimeout: number;
  readonly readTimeout: number;
  readonly aliveTimeout: number;
  readonly queueTimeout: number;
  /** Default: none. */
  readonly failStatuses?: readonly number[];
  readonly maxInterims: number;
}
