// What an HTTP/3 connection needs of its server beyond what those of all versions do.

import type { CodecServer, CodecSettings } from "@hemi/internal";

/** All durations in ms, all sizes in bytes; `props.ts` says what each is. */
export interface Http3Settings extends Omit<CodecSettings, "maxLingerTime"> {
  readonly http3MaxStreams: number;
  readonly http3StreamWindow: number;
  readonly http3ConnWindow: number;
  readonly http3MaxResets: number;
  readonly http3MaxIdleFrames: number;
  readonly http3FloodRecovery: number;
  readonly qpackTableSize: number;
  readonly qpackBlockedStreams: number;
  readonly earlyData: boolean;
  readonly webTransportMaxSessions: number;
}

export interface Http3CodecServer extends Omit<CodecServer, "settings"> {
  /** Live: read when used. */
  readonly settings: Http3Settings;
}
