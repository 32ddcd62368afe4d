// Whether a URL leads to a server that listens on an address.

import { isIP, isIPv6 } from "node:net";
import type { ServerWalk } from "./explanation.ts";
import { formatAddress, type Address } from "../../component/props/addresses.ts";
import type { UrlPlace } from "./read-request.ts";

/** Names are not resolved: a name may lead to any address. */
export function explainListening(
  { scheme, address }: { readonly scheme: "http" | "https"; readonly address: Address },
  place: UrlPlace | undefined,
): Omit<ServerWalk, "server"> {
  const listens = `${scheme} on ${formatAddress(address)}`;
  if (place === undefined) return { listens, isReached: true, reason: "no host was given, so it may be meant" };
  const hindrance = hindranceOf(scheme, address, place);
  return { listens, isReached: hindrance === undefined, reason: hindrance ?? reasonOf(address, place) };
}

/** What prevents a client from reaching it. */
function hindranceOf(scheme: "http" | "https", address: Address, place: UrlPlace): string | undefined {
  if ("path" in address) return "a URL leads to no UNIX socket";
  if (scheme !== place.scheme) return `speaks ${scheme}, not ${place.scheme}`;
  if (address.port !== 0 && address.port !== place.port) return `another port than ${place.port}`;
  if (isIP(place.host) === 0 || isIP(address.host) === 0 || isAllOf(address.host, place.host)) return undefined;
  return sameIP(address.host, place.host) ? undefined : `another address than ${place.host}`;
}

function reasonOf(address: Address, { host }: UrlPlace): string {
  if ("port" in address && address.port === 0) return "takes a free port, which may be this one";
  const mayLeadElsewhere = isIP(host) === 0 && "host" in address && address.host !== "" && address.host !== host;
  return mayLeadElsewhere ? `listens there, if ${host} leads to it` : "listens there";
}

/** `::` also receives IPv4. */
function isAllOf(listening: string, host: string): boolean {
  return listening === "::" || (listening === "0.0.0.0" && !isIPv6(host));
}

/** Compares IP addresses, in any notation. */
function sameIP(a: string, b: string): boolean {
  return normalIP(a) === normalIP(b);
}

function normalIP(ip: string): string {
  return isIPv6(ip) ? new URL(`http://[${ip}]`).hostname : ip;
}
