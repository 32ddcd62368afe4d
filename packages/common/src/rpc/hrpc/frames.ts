// The frames of hrpc (docs/hrpc.md): what each one is, and how it lies in the bytes.
//
//   0        3      4       5            9
//   +--------+------+-------+------------+---------
//   | length | type | flags | stream     | payload    all numbers big-endian; length: of the payload
//   +--------+------+-------+------------+---------

import { encoder, writeUint32 } from "../bytes.ts";
import * as codes from "./go-away-codes.ts";

/** By name. Modules rather than objects: of these, minifiers keep the numbers alone. */
export * as frameFlags from "./frame-flags.ts";
export * as frameTypes from "./frame-types.ts";
export * as goAwayCodes from "./go-away-codes.ts";

/** The first bytes of each side. */
export const preface = encoder.encode("HRPC/1\r\n\r\n");

/** The protocol's name: in ALPN, and as a subprotocol of WebSockets. */
export const protocolName = "hrpc";

/** In bytes. */
export const frameHeadSize = 9;

/** A number of `goAwayCodes`. */
export type GoAwayCode = (typeof codes)[keyof typeof codes];

/** The peer broke a rule: its connection ends. The message is for logs, and for the peer. */
export class ProtocolFault extends Error {
  override readonly name = "ProtocolFault";
  /** What GOAWAY says. */
  readonly code: GoAwayCode;

  constructor(message: string, code: GoAwayCode = codes.protocol) {
    super(message);
    this.code = code;
  }
}

/** Takes a frame. The payload is valid until it returns. */
export type FrameTaker = (type: number, flags: number, streamId: number, payload: Uint8Array) => void;

/** Writes the head of a frame, at `at`. `size`: of its payload. */
export function writeFrameHead(
  bytes: Uint8Array,
  size: number,
  type: number,
  flags: number,
  streamId: number,
  at = 0,
): void {
  writeUint32(bytes, at, (size << 8) | type);
  bytes[at + 4] = flags;
  writeUint32(bytes, at + 5, streamId);
}

/** A whole frame. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frameHeadSize + payload.length);
  writeFrameHead(bytes, payload.length, type, flags, streamId);
  bytes.set(payload, frameHeadSize);
  return bytes;
}

/** A frame whose payload is one number of 32 bits. */
export function numberFrame(type: number, streamId: number, number: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, number);
  return frame(type, 0, streamId, payload);
}
