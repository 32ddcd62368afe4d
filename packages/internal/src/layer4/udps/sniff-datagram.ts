// Which protocol the first datagram of a client belongs to.

import type { StreamProtocol } from "../sniff.ts";

export type DatagramProtocol = Extract<StreamProtocol, "dns"> | "quic";

/** "": the datagram belongs to no protocol that is known. */
export function sniffDatagram(datagram: Buffer): DatagramProtocol | "" {
  if (isQuic(datagram)) return "quic";
  return isDnsQuery(datagram) ? "dns" : "";
}

/** A long header of the type Initial, in datagrams of at least 1200 bytes (RFC 9000 14.1, 17.2; RFC 9369 3.2). */
function isQuic(datagram: Buffer): boolean {
  if (datagram.length < 1200) return false;
  const type = datagram.readUInt8(0) & 0xf0;
  const version = datagram.readUInt32BE(1);
  return (type === 0xc0 && version === 1) || (type === 0xd0 && version === 0x6b3343cf);
}

/** A query with one question and no answers (RFC 1035 4.1.1). */
function isDnsQuery(datagram: Buffer): boolean {
  if (datagram.length < 17) return false;
  const isQuery = (datagram.readUInt8(2) & 0xf8) === 0;
  return isQuery && datagram.readUInt16BE(4) === 1 && datagram.readUInt32BE(6) === 0 && datagram.readUInt16BE(10) <= 2;
}
