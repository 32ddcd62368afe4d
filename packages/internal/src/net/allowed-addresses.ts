// Which addresses of a host a proxy for anyone may connect to. The addresses that are dialled are the ones that were
// judged, so that a name which resolves differently a moment later cannot get around it.

import type { NameLookup } from "./numeric-address.ts";
import { specialUse } from "./special-addresses.ts";

/** Which addresses of a host may be reached. */
export interface JudgedHost {
  /** The addresses that may be reached, in order; at most three. */
  readonly ips: readonly string[];
  /** Why none may be, if there is any; `undefined` otherwise. */
  readonly refusal: string | undefined;
}

/**
 * Looks a host up, and leaves out special addresses (private, loopback, …) but those of `allowed`. `host` may be an IP
 * address. Rejects with a HemiError for a name that has no address.
 */
export async function judgeHost(
  host: string,
  namer: NameLookup,
  allowed: { contains(ip: string): boolean },
): Promise<JudgedHost> {
  const found = await namer.lookup(host);
  const judged = found.map(({ ip }) => ({ ip, use: allowed.contains(ip) ? undefined : specialUse(ip) }));
  const ips = judged.filter(({ use }) => use === undefined).map(({ ip }) => ip);
  const [first] = judged;
  if (ips.length > 0 || first === undefined) return { ips: ips.slice(0, maxAttempts), refusal: undefined };
  return { ips: [], refusal: `${host} is ${first.ip}, an address ${first.use}, which allowAddresses does not name` };
}

/** The maximum number of addresses of one host that are tried. Not a prop: more attempts are of no use. */
const maxAttempts = 3;
