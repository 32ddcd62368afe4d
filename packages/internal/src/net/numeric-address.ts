// Names in addresses to listen on: sockets are bound to numbers.

import { isIP } from "node:net";
import { HemiError } from "../errors/hemi-error.ts";
import type { ListenAddress } from "./listener.ts";

/** Looks names up: the namer of a stage, say. */
export interface NameLookup {
  /** Rejects if there is no address, or none can be found out. */
  lookup(name: string): Promise<readonly { readonly ip: string; readonly family: 4 | 6 }[]>;
}

/**
 * The address with a number for its host. A name such as `localhost` is looked up once, when the server is prepared; of several
 * addresses the first IPv4 one counts. Throws HEMI_LISTEN for a name that has none.
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
