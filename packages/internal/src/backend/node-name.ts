// The name of a node for people: as the configuration has it, apart from what DNS has added.

import { formatAddress, type Address } from "../component/props/addresses.ts";
import { isServiceName } from "../fixtures/host-name.ts";

/** A node, with the host as it is written; "" for a UNIX socket. */
export interface WrittenNode {
  readonly address: Address;
  readonly hostname: string;
}

/** The same for all addresses that one name has. */
export function nodeName({ address, hostname }: WrittenNode): string {
  if ("path" in address || hostname === "") return formatAddress(address);
  return isServiceName(hostname) ? hostname : formatAddress({ ...address, host: hostname });
}
