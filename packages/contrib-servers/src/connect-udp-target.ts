// The target of a request for a UDP tunnel, in its path (RFC 9298 3): `/.well-known/masque/udp/HOST/PORT/`.

import type { Target } from "./target.ts";

/** The default of the RFC, which clients without a template of their own use. */
export const defaultPathPrefix = "/.well-known/masque/udp/";

/**
 * `path` is as the client has encoded it: the colons of an IPv6 address are `%3A`. `undefined`: it is not `prefix`,
 * host, port and a slash.
 */
export function targetInPath(path: string, prefix = defaultPathPrefix): Target | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const [, encoded = "", digits = ""] = /^([^/?]+)\/(\d{1,5})\/$/.exec(path.slice(prefix.length)) ?? [];
  const host = encoded.replaceAll(/%3a/gi, ":");
  const port = Number(digits);
  return /^[\w.:-]+$/.test(host) && port > 0 && port <= 65_535 ? { host, port } : undefined;
}
