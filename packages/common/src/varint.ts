// The variable-length integers of QUIC (RFC 9000 section 16): the first two bits tell how many bytes there are.

import { Buffer } from "node:buffer";

/** How many bytes an integer has whose first byte is this one. */
export function varintSize(first: number): number {
  return 1 << (first >>> 6);
}

/**
 * Reads the integer at `at`; -1: it is not complete. Above 2^53 it is rounded: nothing that we understand is as large.
 */
export function readVarint(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === undefined) return -1;
  const size = varintSize(first);
  if (at + size > bytes.length) return -1;
  switch (size) {
    case 1:
      return first;
    case 2:
      return bytes.readUInt16BE(at) & 0x3fff;
    case 4:
      return bytes.readUInt32BE(at) & 0x3fffffff;
    default:
      return (bytes.readUInt32BE(at) & 0x3fffffff) * 2 ** 32 + bytes.readUInt32BE(at + 4);
  }
}

/** How many bytes `writeVarint` needs for a value. */
export function sizeOfVarint(value: number): number {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x40000000 ? 4 : 8;
}

/** Writes a value below 2^53 at `at`, as short as it can be; returns where it ends. */
export function writeVarint(value: number, bytes: Buffer, at: number): number {
  switch (sizeOfVarint(value)) {
    case 1:
      return bytes.writeUInt8(value, at);
    case 2:
      return bytes.writeUInt16BE(0x4000 | value, at);
    case 4:
      return bytes.writeUInt32BE((0x80000000 | value) >>> 0, at);
    default:
      bytes.writeUInt32BE((0xc0000000 | Math.floor(value / 2 ** 32)) >>> 0, at);
      return bytes.writeUInt32BE(value % 2 ** 32, at + 4);
  }
}

/** A value by itself. */
export function varint(value: number): Buffer {
  const bytes = Buffer.alloc(sizeOfVarint(value));
  writeVarint(value, bytes, 0);
  return bytes;
}
