// The listening sockets of one gate: several, if an address has a range of ports.

import type { ListenerShare } from "../net/listener.ts";

/** What a gate needs of its listening sockets. */
export type GateShare = Pick<ListenerShare, "accept" | "release">;

/** Accepts and releases all of them together. */
export function jointShare(shares: readonly ListenerShare[]): GateShare {
  return {
    accept(acceptor, bareAcceptor) {
      for (const share of shares) share.accept(acceptor, bareAcceptor);
    },
    async release() {
      await Promise.all(shares.map((share) => share.release()));
    },
  };
}
