// That two servers of a stage do not want one address: a mistake that the configuration shows.

import { isIPv4 } from "node:net";
import type { CheckContext } from "../component/definition.ts";
import { formatAddress, type Address } from "../component/props/addresses.ts";

/**
 * Claims what the prop `address` of a server names, for its `check`: no other server of the stage may have it, nor an address that overlaps with
 * it, such as `:80` with `127.0.0.1:80`. Port 0 takes a free one, whatever others have.
 */
export function claimAddress({
  props,
  claim,
}: Pick<CheckContext<{ readonly address: Address }>, "props" | "claim">): void {
  const { address } = props;
  const prop = "address";
  const what = `the address ${formatAddress(address)}`;
  if ("path" in address) return claim({ prop, what });
  const { host, port } = address;
  if (port === 0) return;
  const all = `port ${port} of all addresses`;
  const allOfIPv4 = `port ${port} of all IPv4 addresses`;
  // A socket of IPv6 that is bound to all addresses has those of IPv4, too.
  if (host === "" || host === "::") return claim({ prop, what: all });
  claim({ prop, what: all, isShared: true });
  if (host === "0.0.0.0") return claim({ prop, what: allOfIPv4 });
  if (isIPv4(host)) claim({ prop, what: allOfIPv4, isShared: true });
  claim({ prop, what });
}
