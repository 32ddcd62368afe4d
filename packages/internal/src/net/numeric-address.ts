// Resolves names in listening addresses: sockets are bound to IP addresses.

import { isIP } from "node:net";
import { HemiError } from "../errors/hemi-error.ts";
import type { ListenAddress } from "./listener.ts";

/** Resolves names, like the namer of a stage. */
export interface NameLookup {
  /** Rejects if there is no address or the lookup fails. */
  lookup(name: string): Promise<readonly { readonly ip: string; readonly family: 4 | 6 }[]>;
}

/**
 * The address with an IP address as its host. A name such as `localhost` is resolved once, when the server is prepared.
 * The first IPv4 address is preferred. Throws HEMI_LISTEN for a name without an address.
 */
export async function numericAddress(address: ListenAddress, namer: NameLookup): Promise<ListenAddress> {
  if ("path" in address || address.host === "" || isIP(address.host) !== 0) return address;
  const { host, port } = address;
  try {
    const found = await namer.lookup(host);
    const chosen = found.find(({ family }) => family === 4) ?? found[0];
    if (chosen !== undefined) return { host: chosen.ip, port };
  } catch (cause) {
    throw new HemiError("HEMI_LISTEN", `cannot listen on ${host}:${port}: the name ${host} has no address`, { cause });
  }
  throw new HemiError("HEMI_LISTEN", `cannot listen on ${host}:${port}: the name ${host} has no address`);
}
