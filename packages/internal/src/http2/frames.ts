// The frames of HTTP/2 (RFC 9113 sections 4, 6 and 7), and what RFC 8441 and RFC 9218 add to them.
//
//   | length 24 | type 8 | flags 8 | R 1, stream 31 | payload … |

import { Buffer } from "node:buffer";

export const frameHeaderSize = 9;

/** What a client begins a connection with. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Does a client that has sent these bytes speak HTTP/2? "perhaps": it takes more of them to tell. */
export function beginsWithPreface(bytes: Buffer): boolean | "perhaps" {
  const size = Math.min(bytes.length, preface.length);
  if (bytes.compare(preface, 0, size, 0, size) !== 0) return false;
  return size === preface.length || "perhaps";
}

export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
  /** RFC 9218 7.1. */
  priorityUpdate: 0x10,
} as const;

/** `ack` is of SETTINGS and PING, `endStream` of DATA and HEADERS: they share a bit. */
export const frameFlag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** RFC 9113 7. */
export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

export type Http2ErrorCode = (typeof errorCode)[keyof typeof errorCode];

export const settingId = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  /** RFC 8441 3. */
  enableConnectProtocol: 0x8,
  /** RFC 9218 2.1. */
  noRFC7540Priorities: 0x9,
} as const;

/** What both sides take before they have said anything else (RFC 9113 6.5.2). */
export const defaultWindow = 65_535;
export const defaultMaxFrameSize = 16_384;

/** The largest window, stream identifier, and size of a frame. */
export const maxWindow = 0x7fffffff;
export const maxStreamId = 0x7fffffff;
export const maxMaxFrameSize = 0xffffff;

/** Writes the header of a frame at `at`; returns where its payload begins. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  payloadSize: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  bytes[at] = payloadSize >>> 16;
  bytes[at + 1] = payloadSize >>> 8;
  bytes[at + 2] = payloadSize;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes[at + 5] = streamId >>> 24;
  bytes[at + 6] = streamId >>> 16;
  bytes[at + 7] = streamId >>> 8;
  bytes[at + 8] = streamId;
  return at + frameHeaderSize;
}

/** A number of four bytes without its first bit, which is reserved wherever this is used. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) & 0x7f) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

/** The name of an error code, for logs. */
export function errorName(code: number): string {
  for (const [name, value] of Object.entries(errorCode)) {
    if (value === code) return name.replaceAll(/[A-Z]/g, (letter) => "_" + letter).toUpperCase();
  }
  return `0x${code.toString(16)}`;
}
