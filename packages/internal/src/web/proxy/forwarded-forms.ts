// What a trusted peer says of the client in one of the two forms, told in the other one (RFC 7239 7.4).
//
//   x-forwarded-for: 192.0.2.66, 203.0.113.7                               from 10.0.0.1, which is trusted
//   x-forwarded-proto: https
//   forwarded: for=192.0.2.66, for=203.0.113.7;host="a.example";proto=https, for=10.0.0.1
//                                  ^ the client: the last node that is not trusted
//
// `x-forwarded-host` and `-proto` speak of the client, each element of `forwarded` of its own node.

import type { AddressSet } from "../../component/props/addresses.ts";
import { readNode, unknownAddress } from "../../http/forwarded-source.ts";
import { maxListMembers } from "../../http/list-members.ts";
import type { Request } from "../request/request.ts";

/** `forwarded`, of the `x-forwarded-*` fields of a request whose sender is trusted. */
export function forwardedOfX(req: Request, trusted: AddressSet): string {
  const entries = lastMembers((req.header("x-forwarded-for") ?? "").split(",").filter((entry) => entry.trim() !== ""));
  const nodes = [...entries.map((entry) => addressOf(entry.trim())), req.sender.address];
  const host = req.header("x-forwarded-host") ?? req.authority;
  const port = req.header("x-forwarded-port") ?? "";
  const proto = req.header("x-forwarded-proto") ?? req.scheme;
  const authority = host === "" || hasPort.test(host) || !isPort.test(port) ? host : `${host}:${port}`;
  const ofClient =
    (authority === "" ? "" : `;host="${authority.replace(/["\\]/g, "\\$&")}"`) +
    (isScheme.test(proto) ? `;proto=${proto}` : "");
  const client = indexOfClient(nodes, trusted);
  return nodes.map((node, i) => `for=${nodeName(node)}${i === client ? ofClient : ""}`).join(", ");
}

/** `x-forwarded-for`, `-host` and `-proto`, of the `forwarded` of a request whose sender is trusted. */
export function xOfForwarded(req: Request, trusted: AddressSet): readonly [name: string, value: string][] {
  // Of a line that cannot be read, nothing is known: neither who the client is, nor that it is the peer.
  const elements = elementsOf(req.headers.getAll("forwarded").join(",")) ?? [unreadable];
  const { address } = req.sender;
  const nodes = elements.map(({ node }) => node);
  const fromClient = elements.slice(indexOfClient([...nodes, address], trusted));
  const host = fromClient.find((element) => element.host !== undefined)?.host ?? req.authority;
  return [
    ["x-forwarded-for", (address === "" ? nodes : [...nodes, address]).join(", ")],
    ...(host === "" ? [] : [["x-forwarded-host", host] satisfies [string, string]]),
    ["x-forwarded-proto", fromClient.find((element) => element.proto !== undefined)?.proto ?? req.scheme],
  ];
}

/** RFC 7239 6: an IPv6 address stands in brackets and quotes; who comes over a UNIX socket has no name. */
export function nodeName(address: string): string {
  if (address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

interface Element {
  /** Its address; `unknown` if it has none. */
  readonly node: string;
  readonly host?: string | undefined;
  readonly proto?: string | undefined;
}

const unreadable: Element = { node: unknownAddress };

/** From the right, as proxies add them: the first that is not trusted, else the one that is furthest away. */
function indexOfClient(nodes: readonly string[], trusted: AddressSet): number {
  let i = nodes.length - 1;
  while (i > 0 && trusted.contains(nodes[i] ?? "")) i--;
  return i;
}

function elementsOf(field: string): Element[] | undefined {
  const elements = splitOutsideQuotes(field, ",")?.filter((element) => element.trim() !== "");
  return elements === undefined ? undefined : lastMembers(elements).map(readElement);
}

function readElement(element: string): Element {
  const values = new Map<string, string>();
  for (const pair of splitOutsideQuotes(element, ";") ?? []) {
    const [, name = "", value = ""] = /^\s*([^\s=]+)=(.*)$/.exec(pair) ?? [];
    values.set(name.toLowerCase(), unquoted(value.trim()));
  }
  const proto = values.get("proto") ?? "";
  return {
    node: addressOf(values.get("for") ?? ""),
    host: values.get("host"),
    proto: isScheme.test(proto) ? proto : undefined,
  };
}

/** `undefined` if a quoted string (RFC 9110 5.6.4) does not end. */
function splitOutsideQuotes(text: string, separator: string): string[] | undefined {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) i += character === "\\" ? 1 : 0;
    else if (character === separator) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return isQuoted ? undefined : parts;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}

function addressOf(node: string): string {
  return readNode(node)?.address ?? unknownAddress;
}

/** The proxies that are trusted have written the last ones. */
function lastMembers(members: readonly string[]): readonly string[] {
  return members.slice(-maxListMembers);
}

const isScheme = /^[a-z][a-z0-9+.-]*$/i;
const isPort = /^[0-9]{1,5}$/;
const hasPort = /:[0-9]*$/;
