// Addresses that are not ordinary Internet hosts: an open proxy must not connect to them.

import { BlockList, isIPv4 } from "node:net";
import { plainAddress } from "./peer.ts";

/**
 * The IANA special-purpose address registries (RFC 6890), multicast, and IPv6 addresses that contain an IPv4 address:
 * through those, a gateway could reach the addresses above.
 */
const special: readonly (readonly [cidr: string, what: string])[] = [
  ["0.0.0.0/8", "of this host"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "of a carrier's network"],
  ["127.0.0.0/8", "loopback"],
  // Clouds serve secrets of the machine here (169.254.169.254).
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "of a protocol"],
  ["192.0.2.0/24", "for documentation"],
  ["192.88.99.0/24", "of a 6to4 relay"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "for measurements"],
  ["198.51.100.0/24", "for documentation"],
  ["203.0.113.0/24", "for documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  ["::/96", "of this host, or an IPv4 address in an old form"],
  ["64:ff9b::/96", "an IPv4 address behind a translator"],
  ["64:ff9b:1::/48", "an IPv4 address behind a translator"],
  ["100::/63", "for discarding"],
  ["2001::/23", "of a protocol"],
  ["2001:db8::/32", "for documentation"],
  ["2002::/16", "an IPv4 address within 6to4"],
  ["3fff::/20", "for documentation"],
  ["5f00::/16", "of segment routing"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "private, in an old form"],
  ["ff00::/8", "multicast"],
];

interface SpecialSet {
  readonly set: BlockList;
  readonly family: "ipv4" | "ipv6";
  readonly what: string;
}

/** Made when the first address is asked for, which few programs do. */
let sets: readonly SpecialSet[] | undefined;

function setOf([cidr, what]: (typeof special)[number]): SpecialSet {
  const [network = "", prefix] = cidr.split("/");
  const set = new BlockList();
  const family = isIPv4(network) ? "ipv4" : "ipv6";
  set.addSubnet(network, Number(prefix), family);
  return { set, family, what };
}

/**
 * Describes a special IP address, in words that follow "an address"; `undefined` for an ordinary host. An IPv4-mapped
 * IPv6 address counts as the IPv4 address.
 */
export function specialUse(ip: string): string | undefined {
  const plain = plainAddress(ip);
  const family = isIPv4(plain) ? "ipv4" : "ipv6";
  sets ??= special.map(setOf);
  return sets.find((entry) => entry.family === family && entry.set.check(plain, family))?.what;
}
