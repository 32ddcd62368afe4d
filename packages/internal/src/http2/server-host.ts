// What an HTTP/2 connection needs of the server that it belongs to.

import type { Http1Host, Http1Settings } from "../http1/server-host.ts";

/** What HTTP/2 has limits for beyond those of HTTP/1, which hold here, too. All durations in ms, all sizes in bytes; `props.ts` says what each is. */
export interface Http2Settings extends Http1Settings {
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
}

export interface Http2Host extends Http1Host {
  readonly settings: Http2Settings;
  /** The present, as the field `date` has it. */
  readonly date: string;
}
