// Writes the header that names the client to a node: the PROXY protocol, versions 1 and 2.
//
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt

import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import type { Endpoint } from "./peer.ts";

export type ProxyVersion = "v1" | "v2";

/**
 * `from`: the client; `undefined` for our own connections, such as health checks. `to`: the address that the client
 * connected to. `tlvs`: what version 2 says beyond the addresses; version 1 cannot.
 */
export function proxyHeader(
  version: ProxyVersion,
  from: Endpoint | undefined,
  to: Endpoint,
  tlvs: Buffer = Buffer.alloc(0),
): Buffer {
  const family = from === undefined ? undefined : familyOf(from.address);
  if (from === undefined || family === undefined) {
    // LOCAL, UNKNOWN: the receiver uses the addresses of the connection itself.
    return version === "v1" ? Buffer.from("PROXY UNKNOWN\r\n") : Buffer.concat([signature, Buffer.of(0x20, 0, 0, 0)]);
  }
  const target = familyOf(to.address) === family ? to.address : family === 4 ? "0.0.0.0" : "::";
  if (version === "v1") {
    return Buffer.from(`PROXY TCP${family} ${from.address} ${target} ${from.port} ${to.port}\r\n`, "latin1");
  }
  const source = bytesOf(from.address, family);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(from.port, 0);
  ports.writeUInt16BE(to.port, 2);
  const length = source.length * 2 + ports.length + tlvs.length;
  const head = Buffer.of(0x21, family === 4 ? 0x11 : 0x21, length >> 8, length & 255);
  return Buffer.concat([signature, head, source, bytesOf(target, family), ports, tlvs]);
}

/** No other protocol begins with the signature of version 2. */
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

function familyOf(address: string): 4 | 6 | undefined {
  if (isIPv4(address)) return 4;
  return isIPv6(address) ? 6 : undefined;
}

function bytesOf(address: string, family: 4 | 6): Buffer {
  if (family === 4) return Buffer.from(address.split(".").map(Number));
  // A dotted part, as in ::ffff:1.2.3.4, is written as two groups.
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a: string, b: string, c: string, d: string) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [before = "", after] = plain.split("::");
  const left = groupsOf(before);
  const right = after === undefined ? [] : groupsOf(after);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}
