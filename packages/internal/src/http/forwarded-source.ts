// Where a request comes from, by what trusted proxies say of it in `x-forwarded-for` or `forwarded`.
//
//   x-forwarded-for: 192.0.2.66, 203.0.113.7, 10.0.0.9      from 10.0.0.1
//                    anyone's    ^ the client  ^ trusted         ^ trusted
//                    claim
//
// Each proxy adds whom it got the request from at the right end. So what the trusted ones say reaches from there to the first address that is not one of
// them; what stands before it may be anyone's invention.

import { isIP, isIPv6 } from "node:net";
import type { AddressSet } from "../component/props/addresses.ts";
import { plainAddress, type Endpoint } from "../net/peer.ts";
import type { Fields } from "./fields.ts";

export interface ForwardedTrust {
  /** The proxies that are believed. */
  readonly trustForwarded: AddressSet;
  /** The one field that they are believed in: a proxy that sets the other one passes on what its client says in this. */
  readonly forwardedField: "x-forwarded-for" | "forwarded";
}

/** The client of a request that `sender` has sent. An entry that is no address, such as `unknown`, ends the search: the client is then who said so. */
export function forwardedSource(sender: Endpoint, fields: Fields, trust: ForwardedTrust): Endpoint {
  const { trustForwarded: trusted, forwardedField } = trust;
  if (!trusted.contains(sender.address)) return sender;
  const text = fields.getAll(forwardedField).join(",");
  const entries = text === "" ? [] : forwardedField === "forwarded" ? forwardedNodes(text) : text.split(",");
  let source = sender;
  for (const entry of entries.reverse()) {
    const endpoint = readNode(entry.trim());
    if (endpoint === undefined) return source;
    source = endpoint;
    if (!trusted.contains(source.address)) return source;
  }
  return source;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`. */
function readNode(text: string): Endpoint | undefined {
  if (text.includes("%")) return undefined;
  if (isIPv6(text)) return { address: plainAddress(text), port: 0 };
  const [, inBrackets, name = "", digits = "0"] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = Number(digits);
  const isAddress = inBrackets === undefined ? isIP(name) === 4 : isIPv6(inBrackets);
  return isAddress && port <= 65535 ? { address: plainAddress(inBrackets ?? name), port } : undefined;
}

/** The values of `for` in the elements of a `forwarded` field (RFC 7239 4), "" for an element without. None where a quoted string has no end. */
function forwardedNodes(text: string): string[] {
  const nodes: string[] = [];
  for (const element of cut(text, ",")) {
    const pair = cut(element, ";").find((pair) => /^\s*for=/i.test(pair)) ?? "";
    nodes.push(unquoted(pair.slice(pair.indexOf("=") + 1).trim()));
  }
  return nodes;
}

/** Cuts a text at a character, but not within quoted strings (RFC 9110 5.6.4). */
function cut(text: string, at: "," | ";"): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted && character === "\\") i++;
    else if (!isQuoted && character === at) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return isQuoted ? [] : [...parts, text.slice(start)];
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
