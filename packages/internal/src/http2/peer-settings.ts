// The settings that the other side sends (RFC 9113 6.5).

import {
  defaultMaxFrameSize,
  errorCode,
  maxMaxFrameSize,
  maxWindow,
  settingId,
  type Http2ErrorCode,
} from "./frames.ts";

/** What of the settings we make use of; `undefined`: not said this time. */
export interface PeerSettings {
  headerTableSize?: number;
  initialWindowSize?: number;
  maxConcurrentStreams?: number;
  allowsConnectProtocol?: boolean;
  /** Only a client may say so (RFC 9113 6.5.2). */
  allowsPush?: boolean;
}

/** Why settings are refused. */
export interface BadSettings {
  readonly code: Http2ErrorCode;
  readonly reason: string;
}

/** Bytes of one setting. */
export const settingSize = 6;

/** Reads the payload of a SETTINGS frame, a whole number of settings. The last of several values of one counts. */
export function readSettings(bytes: Buffer, start: number, end: number): PeerSettings | BadSettings {
  const settings: PeerSettings = {};
  for (let at = start; at < end; at += settingSize) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case settingId.headerTableSize:
        settings.headerTableSize = value;
        break;
      case settingId.enablePush:
        if (value > 1) return bad(errorCode.protocolError, "ENABLE_PUSH is not 0 or 1");
        settings.allowsPush = value === 1;
        break;
      case settingId.initialWindowSize:
        if (value > maxWindow) return bad(errorCode.flowControlError, "INITIAL_WINDOW_SIZE is beyond 2^31 - 1");
        settings.initialWindowSize = value;
        break;
      case settingId.maxFrameSize:
        if (value < defaultMaxFrameSize || value > maxMaxFrameSize)
          return bad(errorCode.protocolError, "MAX_FRAME_SIZE is out of its bounds");
        break;
      case settingId.maxConcurrentStreams:
        settings.maxConcurrentStreams = value;
        break;
      case settingId.enableConnectProtocol:
        if (value > 1) return badSwitch;
        settings.allowsConnectProtocol = value === 1;
        break;
      case settingId.noRFC7540Priorities:
        if (value > 1) return badSwitch;
        break;
      default:
      // A limit of its own that we keep to anyway, or one that we do not know (RFC 9113 6.5.2).
    }
  }
  return settings;
}

function bad(code: Http2ErrorCode, reason: string): BadSettings {
  return { code, reason };
}

const badSwitch = bad(errorCode.protocolError, "a setting that is a switch is not 0 or 1");
