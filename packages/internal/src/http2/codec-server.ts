// What an HTTP/2 connection needs of its server beyond what those of all versions do.

import type { CodecServer, CodecSettings } from "../http/codec-server.ts";

/** All durations in ms, all sizes in bytes; `props.ts` says what each is. */
export interface Http2Settings extends CodecSettings {
  readonly http2MaxStreams: number;
  readonly http2StreamWindow: number;
  readonly http2MaxStreamWindow: number;
  readonly http2ConnWindow: number;
  readonly http2MaxBufferedOutput: number;
  readonly http2MaxContinuations: number;
  readonly http2MaxResets: number;
  readonly http2MaxIdleFrames: number;
  readonly http2FloodRecovery: number;
  readonly http2SettingsTimeout: number;
  readonly http2MaxConnAge: number;
  readonly http2ConnAgeGrace: number;
  readonly http2PingInterval: number;
  readonly http2PingTimeout: number;
}

export interface Http2CodecServer extends CodecServer {
  readonly settings: Http2Settings;
}
