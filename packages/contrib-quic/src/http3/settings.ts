// The settings of HTTP/3 (RFC 9114 7.2.4, RFC 9204 5, RFC 9220 3, RFC 9297 2.1.1).

import { readVarint, varint, varintSize } from "@hemi/common";
import { errorCode, Http3ConnError } from "./errors.ts";
import { frame, frameType } from "./frames.ts";

export const settingId = {
  qpackMaxTableCapacity: 0x01,
  maxFieldSectionSize: 0x06,
  qpackBlockedStreams: 0x07,
  enableConnectProtocol: 0x08,
  h3Datagram: 0x33,
  /** The same in drafts of it, which clients of WebTransport may look for. */
  h3DatagramOfDraft: 0xffd277,
} as const;

/** What we make use of, with the defaults of the RFCs. */
export interface PeerSettings {
  /** In bytes. */
  readonly qpackMaxTableCapacity: number;
  readonly qpackBlockedStreams: number;
  /** In bytes, counted as in RFC 9114 4.2.2. Infinity: the peer does not say. */
  readonly maxFieldSectionSize: number;
  readonly allowsConnectProtocol: boolean;
  readonly takesDatagrams: boolean;
}

/** A SETTINGS frame of these ids and values. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  return frame(frameType.settings, Buffer.concat(settings.flatMap(([id, value]) => [varint(id), varint(value)])));
}

/** Reads the payload of a SETTINGS frame. Throws H3_SETTINGS_ERROR, and H3_FRAME_ERROR for one that is cut off. */
export function readSettings(payload: Buffer): PeerSettings {
  const values = new Map<number, number>();
  for (let at = 0; at < payload.length;) {
    const id = readVarint(payload, at);
    at += varintSize(payload[at] ?? 0);
    const value = readVarint(payload, at);
    if (id < 0 || value < 0) throw new Http3ConnError(errorCode.frameError, "its SETTINGS frame is cut off");
    at += varintSize(payload[at] ?? 0);
    if (http2SettingIds.has(id)) throw bad(`it has the setting ${id}, which is one of HTTP/2`);
    if (values.has(id)) throw bad(`it has the setting ${id} twice`);
    values.set(id, value);
  }
  const isOn = (id: number): boolean => {
    const value = values.get(id) ?? 0;
    if (value > 1) throw bad(`its setting ${id} is a switch, and neither 0 nor 1`);
    return value === 1;
  };
  return {
    qpackMaxTableCapacity: values.get(settingId.qpackMaxTableCapacity) ?? 0,
    qpackBlockedStreams: values.get(settingId.qpackBlockedStreams) ?? 0,
    maxFieldSectionSize: values.get(settingId.maxFieldSectionSize) ?? Infinity,
    allowsConnectProtocol: isOn(settingId.enableConnectProtocol),
    takesDatagrams: isOn(settingId.h3Datagram),
  };
}

/** RFC 9114 7.2.4.1. */
const http2SettingIds: ReadonlySet<number> = new Set([0x00, 0x02, 0x03, 0x04, 0x05]);

function bad(reason: string): Http3ConnError {
  return new Http3ConnError(errorCode.settingsError, reason);
}
