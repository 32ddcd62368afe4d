// address, addresses: network addresses.

import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import type { Value } from "../value.ts";
import { hintForOne, unfoldEnv } from "./env-value.ts";
import { isHostname } from "./hostnames.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** `host` is `""` for all addresses of the machine. It contains an IPv6 address without brackets. `port` may be 0. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** An address with one port, or with several: from `port` to `lastPort`. */
export type AddressRange =
  { readonly host: string; readonly port: number; readonly lastPort?: number } | { readonly path: string };

/** Each of its addresses. */
export function addressesIn(range: AddressRange): readonly Address[] {
  if ("path" in range) return [range];
  const { host, port, lastPort = port } = range;
  return Array.from({ length: lastPort - port + 1 }, (_, i) => ({ host, port: port + i }));
}

/** A set of IP addresses, written as CIDRs or single addresses. An IPv4-mapped IPv6 address equals the IPv4 address. */
export interface AddressSet {
  /** The texts in the configuration. */
  readonly texts: readonly string[];
  /** Returns false for a text that is not an IP address. */
  contains(ip: string): boolean;
}

const addressType: PropType<Address> = {
  name: "address",
  takes: 'an address such as ":80", "127.0.0.1:80", "[::1]:80" or "/path.sock"',
  read(value, label, reader) {
    const address = value.type === "string" ? parseAddress(value.value) : undefined;
    if (address === undefined) return refuse(this, value, label, reader, hintForAddress(value));
    if (!("path" in address) || Buffer.byteLength(address.path) <= maxSocketPath) return address;
    const message = `${label} is too long for the path of a socket, which has ${maxSocketPath} bytes at most`;
    reader.report({ span: value.span, message });
    return undefined;
  },
  plain: formatAddress,
  jsonSchema: () => ({ type: "string", pattern: `^/|${inetAddress.source}` }),
};

/** A hint for a port or a host alone, a URL, and forms that other servers take. */
function hintForAddress(value: Value): string | undefined {
  const text = value.type === "integer" || value.type === "string" ? String(value.value) : "";
  if (/^\d+$/.test(text)) return Number(text) <= maxPort ? hintForPort(text) : highestPort;
  const [, port] = /^\*:(\d+)$/.exec(text) ?? [];
  if (port !== undefined) return hintForPort(port);
  if (isIPv6(text)) return 'an IPv6 address has brackets, and its port behind them: "[::1]:80"';
  const [, scheme, host = ""] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? [];
  if (scheme !== undefined) {
    const written = parseAddress(host) === undefined ? `${host}:${defaultPorts.get(scheme.toLowerCase()) ?? 80}` : host;
    return parseAddress(written) && `an address has no scheme and no path: write "${written}"`;
  }
  if (text !== "" && parseAddress(`${text}:80`) !== undefined) return `the port is missing: write "${text}:80"`;
  return Number(/:(\d+)$/.exec(text)?.[1]) > maxPort ? highestPort : undefined;
}

function hintForPort(port: string): string {
  return `write "127.0.0.1:${port}", or ":${port}" for all addresses of the machine`;
}

const maxPort = 65535;

const highestPort = `the highest port is ${maxPort}`;

const defaultPorts: ReadonlyMap<string, number> = new Map([
  ["https", 443],
  ["wss", 443],
]);

/** The maximum length of `sun_path` (unix(7)). Linux needs no terminating NUL. */
const maxSocketPath = process.platform === "linux" ? 108 : 103;

/**
 * An address to listen on or connect to: `:port` (all addresses of the machine), `host:port`, `[v6]:port`, or
 * `/path.sock` for a UNIX socket.
 */
export const address = propMaker<Address, string>(() => addressType);

const addressRangeType: PropType<AddressRange> = {
  ...addressType,
  name: "addressRange",
  takes: 'an address such as ":80", "127.0.0.1:80", "[::1]:80", ":8000-8010" or "/path.sock"',
  read(value, label, reader) {
    const written = value.type === "string" ? value.value : "";
    const [, start = "", end] = /^(.*:\d+)-(\d{1,5})$/.exec(written) ?? [];
    if (end === undefined) return addressType.read(value, label, reader);
    const first = parseAddress(start);
    const lastPort = Number(end);
    if (first === undefined || "path" in first || first.port === 0 || lastPort > maxPort) {
      return refuse(this, value, label, reader);
    }
    if (lastPort < first.port || lastPort - first.port >= maxPorts) {
      const message = `${label} takes 1 to ${maxPorts} ports, from the lowest to the highest`;
      reader.report({ span: value.span, message });
      return undefined;
    }
    return { ...first, lastPort };
  },
  plain: formatAddress,
  jsonSchema: () => ({ type: "string" }),
};

/** Each port is a listening socket. */
const maxPorts = 1000;

/** An address to listen on, of which the port may be a range: `:8000-8010`. */
export const addressRange = propMaker<AddressRange, string>(() => addressRangeType);

const addressesType: PropType<AddressSet> = {
  name: "addresses",
  takes: 'a list of addresses such as "10.0.0.0/8" or "::1"',
  read(written, label, reader) {
    const value = unfoldEnv(written);
    if (value.type !== "list") return refuse(this, value, label, reader, hintForOne(value));
    const texts: string[] = [];
    value.items.forEach((item, index) => {
      if (item.type === "string" && isNetwork(item.value)) texts.push(item.value);
      else refuse({ takes: 'an address such as "10.0.0.0/8" or "::1"' }, item, `${label}[${index}]`, reader);
    });
    return texts.length < value.items.length ? undefined : addressSet(texts);
  },
  plain: (set) => set.texts,
  jsonSchema: () => ({ type: "array", items: { type: "string", pattern: cidr.source } }),
};

/** A set of IP addresses, as CIDRs or single ones: `("10.0.0.0/8", "::1")`. */
export const addresses = propMaker<AddressSet, readonly string[]>(() => addressesType);

/** The set of networks and single addresses that `isNetwork` takes; others are left out. */
export function addressSet(texts: readonly string[]): AddressSet {
  if (texts.length === 0) return { texts, contains: () => false };
  const set = new BlockList();
  for (const text of texts) {
    const network = parseCidr(text);
    if (network !== undefined) set.addSubnet(network.ip, network.prefix, network.family);
  }
  return { texts, contains: (ip) => isIP(ip) !== 0 && set.check(ip, isIPv4(ip) ? "ipv4" : "ipv6") };
}

/** Is it a network such as `10.0.0.0/8`, or an address? */
export function isNetwork(text: string): boolean {
  return parseCidr(text) !== undefined;
}

/** The text of an address, as a configuration would have it. */
export function formatAddress(address: AddressRange): string {
  if ("path" in address) return address.path;
  const { host, port, lastPort = port } = address;
  return `${host.includes(":") ? `[${host}]` : host}:${port}${lastPort === port ? "" : `-${lastPort}`}`;
}

/** An IPv6 address or a name, or neither; and a port. */
const inetAddress = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/;

/** Parses `:80`, `host:80`, `[::1]:80`, `/path.sock`; returns `undefined` for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("/")) return { path: text };
  const [, inBrackets, name, digits] = inetAddress.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > maxPort) return undefined;
  if (inBrackets !== undefined) return isIPv6(inBrackets) ? { host: inBrackets, port } : undefined;
  if (name === undefined || !(name === "" || isHostname(name))) return undefined;
  return { host: name.toLowerCase(), port };
}

const cidr = /^([^/]+)(?:\/([0-9]{1,3}))?$/;

interface Cidr {
  readonly ip: string;
  /** In bits. */
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

function parseCidr(text: string): Cidr | undefined {
  const [, ip, digits] = cidr.exec(text) ?? [];
  if (ip === undefined || isIP(ip) === 0 || ip.includes("%")) return undefined;
  const family = isIPv4(ip) ? "ipv4" : "ipv6";
  const most = family === "ipv4" ? 32 : 128;
  const prefix = digits === undefined ? most : Number(digits);
  return prefix > most ? undefined : { ip, prefix, family };
}
