// udpsRouter: receives datagrams, groups them by the address of the client, and gives each such session to the first
// case that matches.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { DatagramShare } from "../../net/datagram-sockets.ts";
import type { Endpoint } from "../../net/peer.ts";
import { explainableRouter, type ExplainableRouter } from "../explain/explainable-router.ts";
import { defineRouter, type RouterPart } from "../kinds.ts";
import { checkDatagramRouter, DatagramRouter, datagramRouterProps } from "./datagram-router.ts";
import { routesDatagrams } from "./dealet.ts";
import { helloReader } from "./hello.ts";
import { RouterSession, type NamedLimit } from "./router-session.ts";
import { SessionTable } from "./session-table.ts";

const props = {
  ...datagramRouterProps,
  /**
   * How much is sent to a client before it has shown that it receives answers, by sending again after one. The address
   * of the first datagram may be forged, so that answers would flood someone else.
   */
  maxUnprovenAnswers: prop.size({ default: "16K", min: 1, reload: "live" }),
};

/**
 * Receives datagrams of UDP. The datagrams of one client's address and port are a session. The first case that matches
 * gets it; a session that no case takes is ended. DTLS is passed on; cases may ask for its `$serverName` and
 * `$nextProto`.
 */
export const udpsRouter = defineRouter({
  sign: "udpsRouter",
  props,
  check: (context) => checkDatagramRouter(context),
  offers: [explainableRouter, routesDatagrams],
  create: (context): RouterPart & ExplainableRouter => new UdpsRouter(context),
});

type RouterSettings = PropsOf<typeof props>;

class UdpsRouter extends DatagramRouter<RouterSettings, RouterSession> {
  protected readonly protocol = "udp";
  readonly #table = new SessionTable<RouterSession>();

  protected received(bytes: Buffer, from: Endpoint, share: DatagramShare): void {
    const session = this.#table.find(from, share.local) ?? this.#begin(bytes, from, share);
    if (session !== undefined) this.deliver(session, bytes);
  }

  unprovenLimit(): NamedLimit {
    return { name: "maxUnprovenAnswers", bytes: this.settings.maxUnprovenAnswers };
  }

  #begin(first: Buffer, { address, port }: Endpoint, share: DatagramShare): RouterSession | undefined {
    const session = this.begin(address, () => new RouterSession({ address, port }, helloReader(first), share, this));
    if (session === undefined) return undefined;
    this.#table.add(session);
    session.onClose(() => this.#table.delete(session));
    return session;
  }
}
