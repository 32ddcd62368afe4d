// The long header of a QUIC packet (RFC 8999 5.1, RFC 9000 17.2), and where the connection ID of a short one stands.

import { readVarint, varintSize } from "@hemi/common";

/** What can be read of a packet without its keys. */
export interface LongHeader {
  readonly version: number;
  readonly isInitial: boolean;
  readonly dcid: Buffer;
  readonly scid: Buffer;
  /** Of an Initial packet of version 1 or 2; empty without one. */
  readonly token: Buffer;
  /** Where the packet number of an Initial packet begins, which is encrypted. */
  readonly numberAt: number;
  /** Where the packet ends; others may follow it in the datagram. */
  readonly end: number;
}

/** Version 1 of QUIC (RFC 9000), the one that we speak. */
export const quicVersion = 1;
/** Version 2 (RFC 9369), which we read, and pass on. */
export const quicVersion2 = 0x6b3343cf;

/** Whether the Initial packets of a version can be read. */
export function isInitialVersion(version: number): boolean {
  return version === quicVersion || version === quicVersion2;
}

/** Whether the first byte is that of a long header. */
export function isLongHeader(first: number): boolean {
  return (first & 0x80) !== 0;
}

/** The header of the packet at `at`; `undefined`: there is none. */
export function readLongHeader(bytes: Buffer, at = 0): LongHeader | undefined {
  const first = bytes[at];
  if (first === undefined || !isLongHeader(first) || bytes.length < at + 7) return undefined;
  const version = bytes.readUInt32BE(at + 1);
  const isKnown = isInitialVersion(version);
  const mostId = isKnown ? maxConnId : 255;
  const dcid = idAt(bytes, at + 5, mostId);
  const scid = dcid && idAt(bytes, at + 6 + dcid.length, mostId);
  if (dcid === undefined || scid === undefined) return undefined;
  const after = at + 7 + dcid.length + scid.length;
  const isInitial = isKnown && (first & 0x30) === (version === quicVersion ? 0x00 : 0x10);
  const none = { version, isInitial: false, dcid, scid, token: nothing, numberAt: 0, end: bytes.length };
  if (!isInitial) return none;
  const tokenSize = readVarint(bytes, after);
  const tokenAt = after + sizeAt(bytes, after);
  const lengthAt = tokenAt + tokenSize;
  const length = tokenSize < 0 ? -1 : readVarint(bytes, lengthAt);
  const numberAt = lengthAt + sizeAt(bytes, lengthAt);
  if (length < 0 || numberAt + length > bytes.length) return undefined;
  return { ...none, isInitial, token: bytes.subarray(tokenAt, lengthAt), numberAt, end: numberAt + length };
}

function idAt(bytes: Buffer, at: number, most: number): Buffer | undefined {
  const size = bytes[at];
  return size === undefined || size > most || at + 1 + size > bytes.length
    ? undefined
    : bytes.subarray(at + 1, at + 1 + size);
}

function sizeAt(bytes: Buffer, at: number): number {
  return varintSize(bytes[at] ?? 0);
}

/** In bytes (RFC 9000 17.2). Other versions may have longer ones (RFC 8999 5.1). */
const maxConnId = 20;
const nothing = Buffer.alloc(0);
