// Addresses in SOCKS5: a type, an address or a name, a port (RFC 1928 5).

import { SocketAddress } from "node:net";
import { parseIp } from "@hemi/common";
import type { SocketReader } from "./socket-reader.ts";
import type { Target } from "./target.ts";

/** `undefined`: a type that does not exist. */
export async function readAddress(reader: SocketReader): Promise<Target | undefined> {
  const type = await reader.uint8();
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? await reader.uint8() : undefined;
  if (size === undefined) return undefined;
  const host = hostOf(type, await reader.exactly(size));
  return { host, port: await reader.uint16() };
}

/** The head of a relayed datagram (RFC 1928 7), and what follows it; `undefined` for a malformed or fragmented one. */
export function readDatagram(bytes: Buffer): { readonly to: Target; readonly content: Buffer } | undefined {
  if (bytes.length < 5 || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 0) return undefined;
  const type = bytes.readUInt8(3);
  const start = type === 3 ? 5 : 4;
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? bytes.readUInt8(4) : undefined;
  if (size === undefined || bytes.length < start + size + 2) return undefined;
  const host = hostOf(type, bytes.subarray(start, start + size));
  const port = bytes.readUInt16BE(start + size);
  return { to: { host, port }, content: bytes.subarray(start + size + 2) };
}

/** An IP address with its type, and the port. */
export function addressBytes({ address, port }: { readonly address: string; readonly port: number }): Buffer {
  const ip = parseIp(address) ?? new Uint8Array(4);
  return Buffer.concat([Buffer.of(ip.length === 4 ? 1 : 4), ip, Buffer.of(port >> 8, port & 255)]);
}

function hostOf(type: number, bytes: Buffer): string {
  if (type === 3) return bytes.toString("latin1");
  if (type === 1) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  const { address } = new SocketAddress({ address: groups.join(":"), family: "ipv6" });
  return address;
}
