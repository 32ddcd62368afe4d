// Detects that two servers of a stage use the same address.

import { isIPv4 } from "node:net";
import type { CheckContext } from "../component/definition.ts";
import { addressesIn, formatAddress, type Address, type AddressRange } from "../component/props/addresses.ts";

/**
 * Claims the prop `address` of a server, in its `check`: no other server of the stage may have this address or one that
 * overlaps with it, such as `:80` with `127.0.0.1:80`. Port 0 takes a free port and never conflicts.
 */
export function claimAddress({
  props,
  claim,
}: Pick<CheckContext<{ readonly address: AddressRange }>, "props" | "claim">): void {
  for (const address of addressesIn(props.address)) claimOne(address, claim);
}

function claimOne(address: Address, claim: CheckContext<{ readonly address: unknown }>["claim"]): void {
  const prop = "address";
  const what = `the address ${formatAddress(address)}`;
  if ("path" in address) return claim({ prop, what });
  const { host, port } = address;
  if (port === 0) return;
  const all = `port ${port} of all addresses`;
  const allOfIPv4 = `port ${port} of all IPv4 addresses`;
  // An IPv6 socket that is bound to all addresses also receives IPv4.
  if (host === "" || host === "::") return claim({ prop, what: all });
  claim({ prop, what: all, isShared: true });
  if (host === "0.0.0.0") return claim({ prop, what: allOfIPv4 });
  if (isIPv4(host)) claim({ prop, what: allOfIPv4, isShared: true });
  claim({ prop, what });
}
