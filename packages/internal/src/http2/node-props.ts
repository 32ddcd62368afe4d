// The props of a backend that are about HTTP/2 alone.

import type { HeadLimits } from "../http/head-limits.ts";
import type { ConnSettings } from "../backend/node-conn.ts";
import { prop } from "../component/prop.ts";

export const http2NodeProps = {
  /**
   * Connections to each node: another one is made when those that there are have all the requests that they can take at
   * once.
   */
  http2MaxConns: prop.integer({ default: 8, min: 1, max: 10_000, reload: "live" }),
  /** Requests at once on a connection. The node may want fewer, and gets fewer then. */
  http2MaxStreams: prop.integer({ default: 100, min: 1, max: 10_000, reload: "live" }),
  /** Content of an answer that a node may send before the client takes it: so much of it is kept in memory at most. */
  http2StreamWindow: prop.size({ default: "64K", min: "64K", max: "16M", reload: "live" }),
  /** While a client takes an answer faster than its node may send it, the window of its stream grows up to this. */
  http2MaxStreamWindow: prop.size({ default: "256K", min: "64K", max: "16M", reload: "live" }),
  /** A node that is silent for so long while requests are under way is sent a PING. 0: it never is. */
  pingInterval: prop.duration({ default: "20s", reload: "live" }),
  /**
   * If it does not answer that in this time, the connection is broken off, and what is under way on it has failed: see
   * `retryOn` of httpProxy.
   */
  pingTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /** CONTINUATION frames of one head; more break the connection off. */
  http2MaxContinuations: prop.integer({ default: 8, min: 0, max: 1000, reload: "live" }),
  /**
   * Frames that bring neither an answer nor content, such as PING, SETTINGS, WINDOW_UPDATE and empty DATA: such a
   * number in `http2FloodRecovery`, for each connection; more break it off.
   */
  http2MaxIdleFrames: prop.integer({ default: 10_000, min: 10, reload: "live" }),
  /** Idle frames that were used up are allowed again after this, and a part of them after the like part of it. */
  http2FloodRecovery: prop.duration({ default: "10s", min: "1ms", reload: "live" }),
};

/** All durations in ms, all sizes in bytes. */
export interface Http2NodeSettings extends Omit<ConnSettings, "proxyProtocol">, HeadLimits {
  readonly queueTimeout: number;
  readonly failStatuses: readonly number[];
  readonly maxInterims: number;
  readonly http2MaxConns: number;
  readonly http2MaxStreams: number;
  readonly http2StreamWindow: number;
  readonly http2MaxStreamWindow: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly http2MaxContinuations: number;
  readonly http2MaxIdleFrames: number;
  readonly http2FloodRecovery: number;
}
