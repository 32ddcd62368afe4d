// The props of a server that are about HTTP/2 alone.

import { prop } from "../component/prop.ts";

export const http2Props = {
  /** Speaks HTTP/2 to clients that want it: over TLS by ALPN, without TLS to those that begin with its preface. */
  http2: prop.bool({ default: true, inherited: true, reload: "live" }),
  /**
   * HTTP/2 streams at once on a connection, those counted whose client has given them up while a handlet still works on
   * them; one more is refused with REFUSED_STREAM.
   */
  http2MaxStreams: prop.integer({ default: 128, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /**
   * Content that a client may send on an HTTP/2 stream before a handlet reads it. What comes beyond it ends the stream
   * with FLOW_CONTROL_ERROR.
   */
  http2StreamWindow: prop.size({ default: "64K", min: "64K", max: "16M", inherited: true, reload: "live" }),
  /** Where a handlet reads faster than its client may send, the window of its stream grows up to this. */
  http2MaxStreamWindow: prop.size({ default: "1M", min: "64K", max: "16M", inherited: true, reload: "live" }),
  /**
   * Content that a client may send on all HTTP/2 streams of a connection together before handlets read it: so much of
   * it is kept in memory at most. What comes beyond it ends the connection with FLOW_CONTROL_ERROR.
   */
  http2ConnWindow: prop.size({ default: "1M", min: "64K", max: "64M", inherited: true, reload: "live" }),
  /**
   * When a client takes nothing of what it is sent, and so much of it waits, its HTTP/2 connection is not read any
   * further until it does. Files are not read into memory beyond it either, those of all streams together.
   */
  http2MaxBufferedOutput: prop.size({ default: "256K", min: "128K", max: "64M", inherited: true, reload: "live" }),
  /** CONTINUATION frames of one head over HTTP/2; more end the connection with ENHANCE_YOUR_CALM. */
  http2MaxContinuations: prop.integer({ default: 8, min: 0, max: 1000, inherited: true, reload: "live" }),
  /**
   * HTTP/2 streams of a connection that its client resets, has reset by what it does wrong, or has refused by heads
   * that pass a limit, beyond those that are answered: such a number in `http2FloodRecovery`; more end the connection
   * with ENHANCE_YOUR_CALM.
   */
  http2MaxResets: prop.integer({ default: 200, min: 1, inherited: true, reload: "live" }),
  /**
   * Frames on an HTTP/2 connection that bring neither requests nor content, such as PING, SETTINGS, PRIORITY,
   * WINDOW_UPDATE and empty DATA, beyond those that what is sent and received accounts for: such a number in
   * `http2FloodRecovery`; more end the connection with ENHANCE_YOUR_CALM.
   */
  http2MaxIdleFrames: prop.integer({ default: 2000, min: 10, inherited: true, reload: "live" }),
  /**
   * Resets and idle frames that were used up are allowed again after this, and a part of them after the like part of
   * it.
   */
  http2FloodRecovery: prop.duration({ default: "10s", min: "1ms", inherited: true, reload: "live" }),
  /** Until an HTTP/2 client has acknowledged our settings; then the connection ends with SETTINGS_TIMEOUT. */
  http2SettingsTimeout: prop.duration({ default: "20s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * How long an HTTP/2 connection takes new streams, plus or minus 10 %. After that its client is told by GOAWAY to
   * make another one, so that balancers before several servers can spread clients anew; streams that run go on. 0: as
   * long as it lasts.
   */
  http2MaxConnAge: prop.duration({ default: "0s", inherited: true, reload: "live" }),
  /** How long streams may go on after `http2MaxConnAge`; then the connection is closed with them. */
  http2ConnAgeGrace: prop.duration({ default: "1h", min: "1ms", inherited: true, reload: "live" }),
  /**
   * An HTTP/2 client that is silent for so long, up to twice as long, while streams run is asked for a sign of life by
   * PING. 0: it never is.
   */
  http2PingInterval: prop.duration({ default: "2m", inherited: true, reload: "live" }),
  /** If it gives none in this time, its connection and its streams are ended. */
  http2PingTimeout: prop.duration({ default: "20s", min: "1ms", inherited: true, reload: "live" }),
};
