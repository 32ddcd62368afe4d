// Frames and streams of HTTP/3 (RFC 9114 sections 6.2 and 7.2), as numbers and as bytes.

import { sizeOfVarint, writeVarint } from "@hemi/common";

export const frameType = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
  /** One of those that mean nothing, and that everybody skips (RFC 9114 7.2.8). */
  reserved: 0x21,
  /** No frame: what a bidirectional stream of WebTransport begins with; the session ID stands for the length. */
  webTransport: 0x41,
  /** RFC 9218 7.2, for requests. */
  priorityUpdate: 0xf0700,
  /** The same, for pushes. */
  pushPriorityUpdate: 0xf0701,
} as const;

/** Frames of HTTP/2 that HTTP/3 does not have (RFC 9114 7.2.8): PRIORITY, PING, WINDOW_UPDATE, CONTINUATION. */
export const http2FrameTypes: ReadonlySet<number> = new Set([0x02, 0x06, 0x08, 0x09]);

/** Types of unidirectional streams (RFC 9114 6.2, RFC 9204 4.2). */
export const streamType = { control: 0x00, push: 0x01, qpackEncoder: 0x02, qpackDecoder: 0x03 } as const;

/** Who began a stream, and whether both sides send on it (RFC 9000 2.1). */
export const streamKind = { clientBidi: 0, serverBidi: 1, clientUni: 2, serverUni: 3 } as const;

/** One of `streamKind`. */
export function kindOfStream(id: number): number {
  return id % 4;
}

/** Writes type and length of a frame whose payload follows, at `at`; returns where they end. */
export function writeFrameHead(type: number, size: number, bytes: Buffer, at: number): number {
  return writeVarint(size, bytes, writeVarint(type, bytes, at));
}

/** Type and length of a frame whose payload follows. */
export function frameHead(type: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOfVarint(type) + sizeOfVarint(size));
  writeFrameHead(type, size, bytes, 0);
  return bytes;
}

/** In bytes: no type of ours and no length takes more. */
export const maxFrameHead = 16;

/** A whole frame, copied together. */
export function frame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHead(type, payload.length), payload]);
}
