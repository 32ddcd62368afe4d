// Packets of version negotiation (RFC 9000 17.2.1, 6.1), made without the native library, and the probe that asks for
// one.

import { randomBytes } from "node:crypto";
import { quicVersion, quicVersion2, readLongHeader, type LongHeader } from "../initial/long-header.ts";

/** Answers a packet of an unknown version with the versions that we read. */
export function versionNegotiation({ dcid, scid }: Pick<LongHeader, "dcid" | "scid">): Buffer {
  return Buffer.concat([
    longHead(negotiation, scid, dcid),
    uint32(reservedVersion),
    uint32(quicVersion),
    uint32(quicVersion2),
  ]);
}

/** A datagram that every server of QUIC answers with version negotiation, and keeps nothing of. */
export interface VersionProbe {
  readonly datagram: Buffer;
  isAnswer(bytes: Buffer): boolean;
}

export function versionProbe(): VersionProbe {
  const own = randomBytes(8);
  const head = longHead(reservedVersion, randomBytes(8), own);
  return {
    // Smaller ones are not answered (RFC 9000 6.1).
    datagram: Buffer.concat([head, Buffer.alloc(minDatagram - head.length)]),
    isAnswer(bytes) {
      const header = readLongHeader(bytes);
      return header?.version === negotiation && header.dcid.equals(own);
    },
  };
}

function longHead(version: number, dcid: Buffer, scid: Buffer): Buffer {
  const first = 0xc0 | (randomBytes(1).readUInt8() & 0x3f);
  return Buffer.concat([Buffer.of(first), uint32(version), Buffer.of(dcid.length), dcid, Buffer.of(scid.length), scid]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The version that stands for none (RFC 8999 6). */
const negotiation = 0;
/** Nobody speaks it (RFC 9000 15). */
const reservedVersion = 0x1a2a3a4a;
/** Of a datagram with the first packet of a client, in bytes (RFC 9000 14.1). */
export const minDatagram = 1200;
