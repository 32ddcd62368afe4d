// Counts something for each client: connections, requests, whatever a server limits per client.
//
//  192.0.2.7          3      an IPv4 address is a client
//  2001:db8:0:1::/64  1      an IPv6 network of 64 bits is a client: one user controls all its addresses (RFC 6177)

import { isIPv6 } from "node:net";

/** Counts by client. It keeps no data of clients with a count of 0. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  /** The current count of a client. */
  of(client: string): number {
    return this.#counts.get(client) ?? 0;
  }

  /** Counts one more of a client, which is named as by `clientOf`. */
  add(client: string): void {
    this.#counts.set(client, this.of(client) + 1);
  }

  /** Call it once for each `add`. */
  remove(client: string): void {
    const rest = this.of(client) - 1;
    if (rest > 0) this.#counts.set(client, rest);
    else this.#counts.delete(client);
  }
}

/**
 * The client of an address: the address itself, or its 64-bit network for IPv6. The address is normalized: see
 * `plainAddress`.
 */
export function clientOf(address: string): string {
  return isIPv6(address) ? `${firstGroups(address).join(":")}::/64` : address;
}

/** The first four of the eight groups, with the zeros of `::` written out. */
function firstGroups(address: string): readonly string[] {
  const [before = "", behind] = address.split("::");
  const first = groupsOf(before);
  if (behind === undefined || first.length >= 4) return first.slice(0, 4);
  const last = groupsOf(behind);
  // The last two groups may be written as an IPv4 address.
  const written = first.length + last.length + (behind.includes(".") ? 1 : 0);
  return [...first, ...Array<string>(8 - written).fill("0"), ...last].slice(0, 4);
}

function groupsOf(text: string): readonly string[] {
  return text === "" ? [] : text.split(":");
}
