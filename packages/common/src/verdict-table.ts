// Which verdict an address has, by the most specific of the networks that it lies in.

import { networkKey, parseIp, parseNetwork } from "./ip-address.ts";

/** The networks of one family and one prefix length. */
interface Level {
  readonly prefix: number;
  readonly verdicts: Map<string, boolean>;
}

/**
 * Built once, then only asked: one look-up for each prefix length that is in use, longest first. `BlockList` of
 * node:net tells whether an address is in a list, not by which of its networks; and to it an IPv4 address lies in
 * `::/0`.
 */
export class VerdictTable {
  readonly #levels: { readonly 4: Level[]; readonly 6: Level[] } = { 4: [], 6: [] };

  /** Of two verdicts on one network the later one counts. */
  constructor(entries: Iterable<readonly [network: string, verdict: boolean]>) {
    for (const [text, verdict] of entries) {
      const network = parseNetwork(text);
      if (network === undefined) continue;
      const levels = this.#levels[network.family];
      let level = levels.find(({ prefix }) => prefix === network.prefix);
      if (level === undefined) {
        level = { prefix: network.prefix, verdicts: new Map() };
        levels.push(level);
        levels.sort((a, b) => b.prefix - a.prefix);
      }
      level.verdicts.set(network.key, verdict);
    }
  }

  /** `undefined` for an address in no network, and for what is no address. */
  find(address: string): boolean | undefined {
    const ip = parseIp(address);
    if (ip === undefined) return undefined;
    for (const { prefix, verdicts } of this.#levels[ip.length === 4 ? 4 : 6]) {
      const verdict = verdicts.get(networkKey(ip, prefix));
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }
}
