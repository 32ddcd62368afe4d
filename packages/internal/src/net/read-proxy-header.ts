// Parses the header of the PROXY protocol, which a proxy sends first to name the client of the connection.
//
//  version 1: PROXY TCP4 203.0.113.7 192.0.2.1 51234 443 CR LF version 2: signature (12) | version, command (1) |
//  family, transport (1) | length (2) | addresses | TLVs
//
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt

import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import { plainAddress, type Endpoint } from "./peer.ts";

export interface ProxyHeader {
  /** In bytes. The data after it belongs to the client. */
  readonly size: number;
  /** The client; `undefined` if the connection is the proxy's own, as for a health check, or the client is unknown. */
  readonly source: Endpoint | undefined;
}

/**
 * `undefined`: the header is incomplete. A text: why it is invalid. Parses both versions, and decides within
 * `maxProxyHeader` bytes.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | string | undefined {
  if (startsAs(bytes, signature)) return bytes.length < signature.length ? undefined : readVersion2(bytes);
  if (startsAs(bytes, opening)) return readVersion1(bytes);
  return "it does not begin with a PROXY header";
}

/**
 * For version 2, in bytes. The protocol allows 64 KB after the fixed part. Proxies send less than 200 bytes, or a few
 * KB if they pass on a client's certificate, which fits. Not a prop: a user who needs more would not find it.
 */
export const maxProxyHeader = 16 * 1024;

/** Whether one begins with the other, up to the shorter length. */
function startsAs(bytes: Buffer, expected: Buffer): boolean {
  const size = Math.min(bytes.length, expected.length);
  return bytes.compare(expected, 0, size, 0, size) === 0;
}

const opening = Buffer.from("PROXY ", "latin1");
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

// ---- version 1 ----

function readVersion1(bytes: Buffer): ProxyHeader | string | undefined {
  const end = bytes.subarray(0, maxLine).indexOf("\r\n", 0, "latin1");
  if (end < 0) return bytes.length < maxLine ? undefined : `its PROXY line does not end within ${maxLine} bytes`;
  const size = end + 2;
  const line = bytes.toString("latin1", opening.length, end);
  // The rest of the line is ignored.
  if (line === "UNKNOWN" || line.startsWith("UNKNOWN ")) return { size, source: undefined };
  const [family, from = "", to = "", fromPort = "", toPort = "", ...rest] = line.split(" ");
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isPlainIPv6 : undefined;
  const isRight =
    isAddress?.(from) === true && isAddress(to) && isPort(fromPort) && isPort(toPort) && rest.length === 0;
  if (!isRight) return "its PROXY line is malformed";
  return { size, source: { address: plainAddress(from), port: Number(fromPort) } };
}

/** The longest line, with its end. */
const maxLine = 107;

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65535;
}

// ---- version 2 ----

function readVersion2(bytes: Buffer): ProxyHeader | string | undefined {
  const versionAndCommand = bytes[12];
  if (versionAndCommand !== undefined && versionAndCommand !== local && versionAndCommand !== proxy) {
    return `its PROXY header is of an unknown version or command, 0x${versionAndCommand.toString(16)}`;
  }
  if (bytes.length < fixedSize) return undefined;
  const length = bytes.readUInt16BE(14);
  const size = fixedSize + length;
  if (size > maxProxyHeader) return `its PROXY header has ${size} bytes; ${maxProxyHeader} are allowed`;
  const familyAndTransport = bytes[13] ?? 0;
  const addresses = addressesOf[familyAndTransport];
  if (versionAndCommand === proxy) {
    if (addresses === undefined) {
      return `its PROXY header is not of a stream: family and transport are 0x${familyAndTransport.toString(16)}`;
    }
    if (length < addresses.size) return `its PROXY header has no room for its addresses in ${length} bytes`;
  }
  // The TLVs after the addresses are not used. They may contain a checksum, but TCP has its own.
  if (bytes.length < size) return undefined;
  return { size, source: versionAndCommand === proxy ? addresses?.source(bytes) : undefined };
}

const fixedSize = 16;
/** Version 2, with its two commands. */
const local = 0x20;
const proxy = 0x21;

/** By family and transport: the size of both addresses, and a parser of the first one. */
const addressesOf: {
  readonly [familyAndTransport: number]:
    { readonly size: number; readonly source: (bytes: Buffer) => Endpoint | undefined } | undefined;
} = {
  0x00: { size: 0, source: () => undefined },
  0x11: {
    size: 12,
    source: (bytes) => ({ address: bytes.subarray(16, 20).join("."), port: bytes.readUInt16BE(24) }),
  },
  0x21: {
    size: 36,
    source(bytes) {
      const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(16 + 2 * i).toString(16));
      return { address: plainAddress(groups.join(":")), port: bytes.readUInt16BE(48) };
    },
  },
  // The client is on the proxy's machine, and has no address.
  0x31: { size: 216, source: () => ({ address: "", port: 0 }) },
};
