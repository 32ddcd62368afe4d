// Parses a request to explain: the request that a client would make from its URL and fields.

import { isIP, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import type { AskedRequest, ExplainRequest } from "./explanation.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { parseAuthority } from "../../http/authority.ts";

/** The server address in a whole URL. */
export interface UrlPlace {
  readonly scheme: "http" | "https";
  /** In lower case, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ReadRequest {
  readonly asked: AskedRequest;
  /** `undefined` if only a target was given. */
  readonly place: UrlPlace | undefined;
}

/** Throws HEMI_USAGE for a request that no client could send. */
export function readExplainRequest({
  method = "GET",
  url,
  headers = {},
  srcHost = "127.0.0.1",
}: ExplainRequest): ReadRequest {
  if (!token.test(method)) throw usage(`${JSON.stringify(method)} is no method: write GET, say`);
  if (srcHost !== "" && isIP(srcHost) === 0) throw usage(`${JSON.stringify(srcHost)} is no IP address of a client`);
  const { place, authority, target } = method === "CONNECT" ? readTunnelEnd(url) : readUrl(url);
  const list: (readonly [string, string])[] = [];
  const hosts: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!token.test(name)) throw usage(`${JSON.stringify(name)} cannot be the name of a header field`);
    for (const one of typeof value === "string" ? [value] : value) {
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(one)) {
        throw usage(`the value of the field ${name} holds a character that it may not hold: ${JSON.stringify(one)}`);
      }
      const lower = name.toLowerCase();
      if (lower === "host") hosts.push(one.trim());
      else list.push([lower, one.trim()]);
    }
  }
  if (hosts.length > 1) throw usage("a request has one field host");
  const asked = { method, url, target, authority: hosts[0] ?? authority, headers: list, srcHost };
  return { asked, place };
}

/** `host:port`, the target of a CONNECT. It does not contain the proxy's address. */
function readTunnelEnd(url: string): { place: undefined; authority: string; target: string } {
  const authority = /^(?:\[[^\]/?#@]*\]|[^[\]:/?#@]+):\d{1,5}$/.exec(url)?.[0];
  if (authority === undefined) throw usage(`a tunnel leads to a host and a port: write CONNECT host:443, not ${url}`);
  return { place: undefined, authority, target: "" };
}

/**
 * The server name in the TLS handshake: the host of the URL if it is a name, or the field `host` if there is only a
 * target.
 */
export function serverNameOf({ authority }: AskedRequest, place: UrlPlace | undefined): string {
  const host = place?.host ?? parseAuthority(authority)?.hostname ?? "";
  return isIP(host) !== 0 || host.startsWith("[") ? "" : host.replace(/\.$/, "");
}

function readUrl(url: string): { place: UrlPlace | undefined; authority: string; target: string } {
  // Clients do not send the fragment after #.
  const [sent = ""] = url.split("#", 1);
  if (sent === "*") return { place: undefined, authority: "", target: sent };
  if (sent.startsWith("/")) return { place: undefined, authority: "", target: encodeTarget(sent) };
  const [, scheme, authority = "", rest = ""] = /^(https?):\/\/([^/?]*)(.*)$/is.exec(sent) ?? [];
  if (scheme === undefined) {
    throw usage(`${JSON.stringify(url)} is no URL of the web: write http://host/path, or /path`);
  }
  if (authority.includes("@")) throw usage("leave the user out of the URL: a client sends it as a field authorization");
  const isSecure = scheme.toLowerCase() === "https";
  const [, inBrackets, name = "", digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(authority) ?? [];
  const host = hostAsSent(inBrackets ?? name);
  const port = digits === undefined ? (isSecure ? 443 : 80) : Number(digits);
  if (host === "" || port > 65535) throw usage(`${JSON.stringify(url)} has no host that a client could ask`);
  return {
    place: { scheme: isSecure ? "https" : "http", host: host.toLowerCase(), port },
    authority: authorityOf(host, port, isSecure),
    target: encodeTarget(rest.startsWith("/") ? rest : `/${rest}`),
  };
}

/** Non-ASCII names are converted by IDNA, IPv6 addresses to their shortest form; everything else is unchanged. */
function hostAsSent(host: string): string {
  if (isIPv6(host)) return new URL(`http://[${host}]`).hostname.slice(1, -1);
  if (!/[^\0-\x7f]/.test(host)) return host;
  const ascii = domainToASCII(host);
  if (ascii === "") throw usage(`${JSON.stringify(host)} is no name that a client could ask for`);
  return ascii;
}

/** Clients omit the default port. */
function authorityOf(host: string, port: number, isSecure: boolean): string {
  const written = host.includes(":") ? `[${host}]` : host;
  return port === (isSecure ? 443 : 80) ? written : `${written}:${port}`;
}

/** Percent-encodes, as UTF-8, characters that clients do not send: control characters, spaces, non-ASCII characters. */
function encodeTarget(target: string): string {
  return target.toWellFormed().replace(/[^\x21-\x7e]+/g, (run) => encodeURIComponent(run));
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function usage(message: string): HemiError {
  return new HemiError("HEMI_USAGE", message);
}
