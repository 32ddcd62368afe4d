// Where a request comes from, and by which scheme, as trusted proxies say in `x-forwarded-for` and `-proto`, or in
// `forwarded`.
//
//   x-forwarded-for: 192.0.2.66, 203.0.113.7, 10.0.0.9      from 10.0.0.1
//                    anyone's    ^ the client  ^ trusted         ^ trusted
//                    claim
//   x-forwarded-proto:           https,        http         or just: https
//
// Each proxy adds whom it got the request from at the right end. So what the trusted ones say reaches from there to the
// first address that is not one of them; what stands before it may be anyone's invention. Therefore each field line is
// read by itself, and from the right: nothing that a client sends can change how the entries of the proxies behind it
// are read.
//
// The scheme that counts is that of the client whose address counts. The element of `forwarded` that names the client
// says both. In `x-forwarded-proto`, a single value speaks of the client: proxies set the field, or pass on what one of
// them has set. With several values, each proxy has added its own, as to `x-forwarded-for`.

import { isIP, isIPv6 } from "node:net";
import type { AddressSet } from "../component/props/addresses.ts";
import { plainAddress, type Endpoint } from "../net/peer.ts";
import type { Fields } from "./fields.ts";

export interface ForwardedTrust {
  /** The proxies that are believed. */
  readonly trustForwarded: AddressSet;
  /**
   * The one form that they are believed in (`x-forwarded-for` with `x-forwarded-proto`): a proxy that sets the other
   * one passes on what its client says in this.
   */
  readonly forwardedField: "x-forwarded-for" | "forwarded";
}

/**
 * The address of a client of whom a trusted proxy says nothing that can be read, such as `unknown` or `_hidden`. No
 * list of addresses holds it.
 */
export const unknownAddress = "unknown";

/** The client of a request. */
export interface ForwardedClient {
  /** Whether the sender is a proxy that is trusted. If not, the sender is the client. */
  readonly hasTrustedSender: boolean;
  /** Its address is `unknownAddress` if trusted proxies say nothing that can be read. */
  readonly source: Endpoint;
  /** How the client came to the first of the trusted proxies; `undefined` if they do not say so. */
  readonly scheme: "http" | "https" | undefined;
}

/**
 * The client of a request that `sender` has sent. An entry of a trusted proxy that is no address makes it unknown:
 * never the proxy itself.
 */
export function forwardedClient(sender: Endpoint, fields: Fields, trust: ForwardedTrust): ForwardedClient {
  const { trustForwarded, forwardedField } = trust;
  if (!trustForwarded.contains(sender.address)) return { hasTrustedSender: false, source: sender, scheme: undefined };
  const { source, hop, proto } = walkBack(sender, fields, trust);
  const told = forwardedField === "forwarded" ? proto : valueOfHop(fields.getAll("x-forwarded-proto"), hop);
  return { hasTrustedSender: true, source, scheme: schemes.get(told?.trim().toLowerCase() ?? "") };
}

interface Walk {
  readonly source: Endpoint;
  /** How many entries of trusted proxies stand behind the one that names the source. */
  readonly hop: number;
  /** Of the element that names the source. */
  readonly proto: string | undefined;
}

/** From the sender to the first address that is not trusted. */
function walkBack(sender: Endpoint, fields: Fields, { trustForwarded, forwardedField }: ForwardedTrust): Walk {
  const memberBefore = forwardedField === "forwarded" ? forwardedElementBefore : entryBefore;
  let walk: Walk = { source: sender, hop: 0, proto: undefined };
  let hop = 0;
  for (const line of fields.getAll(forwardedField).toReversed()) {
    if (line.trim() === "") continue;
    for (let end = line.length; end >= 0; hop++) {
      const { start, node, proto } = memberBefore(line, end);
      const source = (node === undefined ? undefined : readNode(node)) ?? { address: unknownAddress, port: 0 };
      walk = { source, hop, proto };
      if (!trustForwarded.contains(source.address)) return walk;
      end = start - 1;
    }
  }
  return walk;
}

/** What is said of the client in the lines of `x-forwarded-proto`; `hop` as in `Walk`. */
function valueOfHop(lines: readonly string[], hop: number): string | undefined {
  const values = lines.filter((line) => line.trim() !== "").flatMap((line) => line.split(","));
  return values.length === 1 ? values[0] : values.at(-1 - hop);
}

/** By their names in lower case; others are ignored. Traefik calls those of WebSocket handshakes `ws` and `wss`. */
const schemes: ReadonlyMap<string, "http" | "https"> = new Map([
  ["http", "http"],
  ["https", "https"],
  ["ws", "http"],
  ["wss", "https"],
]);

/** Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; `undefined`: no address. */
export function readNode(text: string): Endpoint | undefined {
  if (text.includes("%")) return undefined;
  if (isIPv6(text)) return { address: plainAddress(text), port: 0 };
  const [, inBrackets, name = "", digits = "0"] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = Number(digits);
  const isAddress = inBrackets === undefined ? isIP(name) === 4 : isIPv6(inBrackets);
  if (!isAddress || port > 65535) return undefined;
  return { address: inBrackets === undefined ? ownText(name) : plainAddress(inBrackets), port };
}

/** The same address in memory of its own: V8 makes slices of long texts, and whoever kept one would keep the whole. */
function ownText(ip: string): string {
  return ip.split(".").join(".");
}

/** A member of a list. */
interface Member {
  /** Where it begins. */
  readonly start: number;
  /** The node that it names; `undefined` where it cannot be read. */
  readonly node: string | undefined;
  /** The scheme that it names, unchecked. */
  readonly proto?: string | undefined;
}

/** Of `x-forwarded-for`: what stands before `end`, up to a comma. */
function entryBefore(line: string, end: number): Member {
  const start = (end === 0 ? -1 : line.lastIndexOf(",", end - 1)) + 1;
  return { start, node: line.slice(start, end).trim() };
}

/** An element of `forwarded` (RFC 7239 4). */
export interface ForwardedElement extends Member {
  /** Names in lower case; none of an element that cannot be read. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
}

/**
 * What stands before `end`, up to a comma that is not in a quoted string (RFC 9110 5.6.4). Read from the right: a quote
 * that a client leaves open does not reach into what the proxies behind it have added.
 */
export function forwardedElementBefore(line: string, end: number): ForwardedElement {
  const pairs: (readonly [name: string, value: string])[] = [];
  let isQuoted = false;
  let pairEnd = end;
  let i = end - 1;
  for (; i >= 0; i--) {
    const character = line[i];
    if (character === '"') isQuoted = !isQuoted || isEscaped(line, i);
    else if (isQuoted) continue;
    else if (character === ",") break;
    else if (character === ";") {
      readPair(line.slice(i + 1, pairEnd), pairs);
      pairEnd = i;
    }
  }
  readPair(line.slice(i + 1, pairEnd), pairs);
  if (isQuoted) return { start: i + 1, node: undefined, pairs: [] };
  return { start: i + 1, node: onlyValue(pairs, "for"), proto: onlyValue(pairs, "proto"), pairs };
}

/** A parameter must not stand twice in an element (RFC 7239 4). */
function onlyValue(pairs: ForwardedElement["pairs"], wanted: string): string | undefined {
  const [first, second] = pairs.filter(([name]) => name === wanted);
  return second === undefined ? first?.[1] : undefined;
}

/** Is the character at `at` taken as it is, because an odd number of backslashes stands before it? */
function isEscaped(line: string, at: number): boolean {
  let first = at;
  while (line[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

function readPair(pair: string, pairs: (readonly [name: string, value: string])[]): void {
  const [, name, value = ""] = /^\s*([^\s=]+)=(.*)$/s.exec(pair) ?? [];
  if (name !== undefined) pairs.push([name.toLowerCase(), unquoted(value.trim())]);
}

function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value.slice(1, -1).replace(/\\(.)/g, "$1");
}
