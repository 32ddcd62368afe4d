// IP addresses as bytes, and the networks that they lie in.

import { Buffer } from "node:buffer";
import { isIP } from "node:net";

/** A network of IPv4 or IPv6 addresses. */
export interface Network {
  readonly family: 4 | 6;
  /** In bits: 0 to 32, or to 128. */
  readonly prefix: number;
  /** As `networkKey` makes it. */
  readonly key: string;
}

/**
 * The 4 or 16 bytes of an address; `undefined` for what is none. An IPv4 address mapped into IPv6 (RFC 4291 2.5.5.2) is
 * the IPv4 address, and the zone of a link-local one, as in `fe80::1%eth0`, is left out.
 */
export function parseIp(text: string): Uint8Array | undefined {
  const zone = text.indexOf("%");
  const bytes = bytesOf(zone < 0 ? text : text.slice(0, zone));
  return bytes !== undefined && isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address, as `prop.addresses` takes them. */
export function parseNetwork(text: string): Network | undefined {
  const [ip = "", digits] = text.split("/");
  let bytes = bytesOf(ip);
  if (bytes === undefined) return undefined;
  let prefix = digits === undefined ? bytes.length * 8 : Number(digits);
  if (prefix >= 96 && isMapped(bytes)) {
    bytes = bytes.subarray(12);
    prefix -= 96;
  }
  return { family: bytes.length === 4 ? 4 : 6, prefix, key: networkKey(bytes, prefix) };
}

/** Equal for two addresses of one family exactly if they agree in their first `prefix` bits. */
export function networkKey(ip: Uint8Array, prefix: number): string {
  const whole = prefix >> 3;
  let key = "";
  for (let i = 0; i < whole; i++) key += String.fromCharCode(ip[i] ?? 0);
  const rest = prefix & 7;
  return rest === 0 ? key : key + String.fromCharCode((ip[whole] ?? 0) & (0xff00 >> rest) & 0xff);
}

/**
 * Equal for all addresses that one subscriber has: an IPv4 address, or a network of 64 bits of IPv6. What is no address
 * stands for itself.
 */
export function keyOfAddress(address: string): string {
  const ip = address.includes(":") ? parseIp(address) : undefined;
  if (ip === undefined) return address;
  return ip.length === 4 ? ip.join(".") : `${Buffer.from(networkKey(ip, 64), "latin1").toString("hex")}/64`;
}

function bytesOf(ip: string): Uint8Array | undefined {
  const family = isIP(ip);
  if (family === 0) return undefined;
  if (family === 4) return Uint8Array.from(ip.split("."), Number);
  const [head = "", tail = ""] = ip.split("::");
  const after = groupBytes(tail);
  const bytes = new Uint8Array(16);
  bytes.set(groupBytes(head));
  bytes.set(after, 16 - after.length);
  return bytes;
}

/** The bytes of `2001:db8` or of `ffff:10.0.0.1`. */
function groupBytes(groups: string): number[] {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const word = parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
}
