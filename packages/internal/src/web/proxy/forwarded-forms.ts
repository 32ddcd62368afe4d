// What a trusted peer says of the client in one of the two forms, told in the other one (RFC 7239 7.4).
//
//   x-forwarded-for: 192.0.2.66, 203.0.113.7                               from 10.0.0.1, which is trusted
//   x-forwarded-proto: https
//   forwarded: for=192.0.2.66, for=203.0.113.7;host="a.example";proto=https, for=10.0.0.1
//                                  ^ the client: the last node that is not trusted
//
// `x-forwarded-host` and `-proto` speak of the client, each element of `forwarded` of its own node.

import type { AddressSet } from "../../component/props/addresses.ts";
import {
  forwardedClient,
  forwardedElementBefore,
  readNode,
  unknownAddress,
  type ForwardedElement,
  type ForwardedTrust,
} from "../../http/forwarded-source.ts";
import { maxListMembers } from "../../http/list-members.ts";
import type { Request } from "../request/request.ts";

/** `forwarded`, of the `x-forwarded-*` fields of a request whose sender is trusted. */
export function forwardedOfX(req: Request, trusted: AddressSet): string {
  const all = (req.header("x-forwarded-for") ?? "").split(",").filter((entry) => entry.trim() !== "");
  // The proxies that are trusted have written the last ones.
  const entries = all.slice(-maxListMembers);
  const nodes = [...entries.map((entry) => addressOf(entry.trim())), req.sender.address];
  const host = req.header("x-forwarded-host") ?? req.authority;
  const port = req.header("x-forwarded-port") ?? "";
  const authority = host === "" || hasPort.test(host) || !isPort.test(port) ? host : `${host}:${port}`;
  const ofClient =
    (authority === "" ? "" : `;host="${authority.replace(/["\\]/g, "\\$&")}"`) + `;proto=${schemeOfX(req, trusted)}`;
  const client = indexOfClient(nodes, trusted);
  return nodes.map((node, i) => `for=${forwardedNode(node)}${i === client ? ofClient : ""}`).join(", ");
}

/** What the `x-forwarded-*` fields of a request whose sender is trusted say of the client's scheme. */
export function schemeOfX(req: Request, trusted: AddressSet): "http" | "https" {
  return schemeTold(req, { trustForwarded: trusted, forwardedField: "x-forwarded-for" });
}

/** If nothing is said of it, the proxy has said it to the server, or asks by the scheme of its client. */
function schemeTold(req: Request, trust: ForwardedTrust): "http" | "https" {
  return forwardedClient(req.sender, req.headers, trust).scheme ?? req.scheme;
}

/** `x-forwarded-for`, `-host` and `-proto`, of the `forwarded` of a request whose sender is trusted. */
export function xOfForwarded(req: Request, trusted: AddressSet): readonly [name: string, value: string][] {
  const elements = elementsOf(req.headers.getAll("forwarded"));
  const { address } = req.sender;
  const nodes = elements.map(({ node }) => node);
  const fromClient = elements.slice(indexOfClient([...nodes, address], trusted));
  const host = fromClient.find((element) => element.host !== undefined)?.host ?? req.authority;
  return [
    ["x-forwarded-for", (address === "" ? nodes : [...nodes, address]).join(", ")],
    ...(host === "" ? [] : [["x-forwarded-host", host] satisfies [string, string]]),
    ["x-forwarded-proto", schemeTold(req, { trustForwarded: trusted, forwardedField: "forwarded" })],
  ];
}

/** RFC 7239 6: an IPv6 address stands in brackets and quotes; who comes over a UNIX socket has no name. */
export function forwardedNode(address: string): string {
  if (address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

interface Element {
  /** Its address; `unknown` if it has none. */
  readonly node: string;
  readonly host?: string | undefined;
}

/** From the right, as proxies add them: the first that is not trusted, else the one that is furthest away. */
function indexOfClient(nodes: readonly string[], trusted: AddressSet): number {
  let i = nodes.length - 1;
  while (i > 0 && trusted.contains(nodes[i] ?? "")) i--;
  return i;
}

/** The last ones, which the proxies that are trusted have written, of all lines of the field. */
function elementsOf(lines: readonly string[]): Element[] {
  const elements: Element[] = [];
  for (const line of lines.toReversed()) {
    for (let end = line.length; end >= 0 && elements.length < maxListMembers;) {
      const element = forwardedElementBefore(line, end);
      if (line.slice(element.start, end).trim() !== "") elements.push(readElement(element));
      end = element.start - 1;
    }
  }
  return elements.reverse();
}

function readElement({ node = "", pairs }: ForwardedElement): Element {
  return { node: addressOf(node), host: pairs.find(([name]) => name === "host")?.[1] };
}

function addressOf(node: string): string {
  return readNode(node)?.address ?? unknownAddress;
}

const isPort = /^[0-9]{1,5}$/;
const hasPort = /:[0-9]*$/;
