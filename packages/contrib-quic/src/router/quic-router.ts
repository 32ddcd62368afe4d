// quicRouter: receives datagrams of QUIC, and gives each connection to the first case that matches.

import {
  checkDatagramRouter,
  DatagramRouter,
  datagramRouterProps,
  defineRouter,
  explainableRouter,
  noHello,
  prop,
  routesDatagrams,
  type Context,
  type DatagramShare,
  type Endpoint,
  type ExplainableRouter,
  type HelloReader,
  type NamedLimit,
  type PropsOf,
  type RouterPart,
  type RouterSession,
  type Taker,
} from "@hemi/internal";
import { isInitialVersion, isLongHeader, readLongHeader, type LongHeader } from "../initial/long-header.ts";
import { initialHello } from "./initial-hello.ts";
import { QuicSession, type QuicSessionOptions } from "./quic-session.ts";
import { clientKey, keyOfId, Route, Routes, type RoutedSession } from "./routes.ts";
import { minDatagram, versionNegotiation } from "./version-negotiation.ts";

const props = {
  ...datagramRouterProps,
  /**
   * Until a client has shown that it receives answers, by sending to a connection ID that only an answer tells, it is
   * sent so many times what it has sent. Its address may be forged (RFC 9000 8.1).
   */
  maxAmplification: prop.integer({ default: 3, min: 1, max: 100, reload: "live" }),
  /**
   * Connections of other versions of QUIC than 1 and 2: `negotiate` tells the client the versions that can be read,
   * `pass` gives them to the cases, with an empty `$serverName` and `$nextProto`.
   */
  unknownVersions: prop.choice(["negotiate", "pass"], { default: "negotiate", reload: "live" }),
  /**
   * Of nodes that write an ID of their own into the connection IDs that they give, in plain text behind the first byte
   * (QUIC-LB): the size of that ID in bytes. A client that uses another connection ID at another address then keeps its
   * node. 0: they write none; then a client keeps its node as long as it keeps its connection ID, or its address.
   */
  nodeIdSize: prop.integer({ default: 0, max: 15, reload: "live" }),
};

type RouterSettings = PropsOf<typeof props>;

/**
 * Receives datagrams of QUIC (RFC 9000). The first case that matches gets a connection; one that no case takes is
 * ended, and not answered. Nothing is decrypted but the first packets of a connection, whose keys everyone knows: cases
 * may ask for its `$serverName` and `$nextProto`. The packets of a connection go to its node by their connection ID,
 * also when the address of the client changes.
 */
export const quicRouter = defineRouter({
  sign: "quicRouter",
  props,
  check: (context) => checkDatagramRouter(context),
  offers: [explainableRouter, routesDatagrams],
  create: (context): RouterPart & ExplainableRouter => new QuicRouter(context),
});

/** A datagram, with where it has come from, and to. */
interface Arrival {
  readonly bytes: Buffer;
  readonly from: Endpoint;
  /** `from`, as a key. */
  readonly client: string;
  readonly share: DatagramShare;
  readonly routes: Routes;
}

class QuicRouter extends DatagramRouter<RouterSettings, RoutedSession> {
  protected readonly protocol = "quic";
  readonly #context: Context<RouterSettings, undefined>;

  constructor(context: Context<RouterSettings, undefined>) {
    super(context);
    this.#context = context;
  }

  protected received(bytes: Buffer, from: Endpoint, share: DatagramShare): void {
    const routes = Routes.of(this.#context.listeners.datagrams, share.local);
    const arrival: Arrival = { bytes, from, client: clientKey(from), share, routes };
    if (!isLongHeader(bytes[0] ?? 0)) return this.#shortHeader(arrival);
    const header = readLongHeader(bytes);
    if (header !== undefined) this.#longHeader(header, arrival);
  }

  unprovenLimit({ bytesReceived }: RouterSession): NamedLimit {
    return { name: "maxAmplification", bytes: bytesReceived * this.settings.maxAmplification };
  }

  /** Sessions that are guessed give way to others always: an attacker needs no connection to begin one. */
  override proven(session: RouterSession): void {
    if (session instanceof QuicSession) session.addressShown();
    if (!(session instanceof QuicSession && session.isGuessed)) super.proven(session);
  }

  #longHeader(header: LongHeader, arrival: Arrival): void {
    const { bytes, client, routes } = arrival;
    const route = routes.byId(header.dcid);
    if (route !== undefined) return this.#along(route, arrival);
    const begun = routes.byFirstId(client, header.dcid);
    if (begun !== undefined) return this.deliver(begun, bytes, false);
    if (bytes.length < minDatagram) return;
    if (header.isInitial) {
      if (header.dcid.length >= minFirstId) this.#first(header, arrival);
    } else if (header.version !== 0 && !isInitialVersion(header.version)) this.#unknownVersion(header, arrival);
  }

  #shortHeader(arrival: Arrival): void {
    const { bytes, client, routes } = arrival;
    const route = routes.byShortHeader(bytes);
    if (route !== undefined) return this.#along(route, arrival);
    const similar = routes.byNodeId(bytes.subarray(1), this.settings.nodeIdSize);
    const latest = routes.byClient(client);
    if (latest !== undefined && (similar === undefined || similar.node === latest.route.node)) {
      // One that has moved here gets answers by its node alone, which validates its address (RFC 9000 8.2).
      return this.deliver(latest, bytes, latest.firstId === undefined && latest.bytesSent > 0);
    }
    if (similar !== undefined) this.#along(new Route(similar), arrival);
  }

  /** A packet of a connection that a node knows; its client may have another address than before. */
  #along(route: Route, arrival: Arrival): void {
    const { bytes, client } = arrival;
    const session = route.sessions.get(client) ?? this.#follow(route, arrival);
    if (session !== undefined) this.deliver(session, bytes, session.bytesSent > 0);
  }

  #follow(route: Route, arrival: Arrival): RoutedSession | undefined {
    const { node } = route;
    const taker = this.#takerLike(route.taker);
    if (taker === undefined) return undefined;
    route.makeRoom();
    const session = this.#begin(arrival, { reader: unreadable, route, firstId: undefined });
    if (session === undefined) return undefined;
    session.onlyNode = node;
    session.followTo(taker);
    return session;
  }

  /** The one that has its place now: since the connection began, a reload may have replaced it, or dropped it. */
  #takerLike(taker: Taker | undefined): Taker | undefined {
    for (const { takers } of this.cases) {
      for (const each of takers) if (each.path === taker?.path) return each;
    }
    return undefined;
  }

  #unknownVersion(header: LongHeader, arrival: Arrival): void {
    if (this.settings.unknownVersions === "pass") this.#first(header, arrival);
    else arrival.share.send(versionNegotiation(header), arrival.from);
  }

  #first(header: LongHeader, arrival: Arrival): void {
    const firstId = keyOfId(header.dcid);
    const session = this.#begin(arrival, { reader: initialHello(header), route: new Route(), firstId });
    if (session !== undefined) this.deliver(session, arrival.bytes, false);
  }

  #begin(
    { from: { address, port }, share, routes }: Arrival,
    options: Pick<QuicSessionOptions, "reader" | "route" | "firstId">,
  ): RoutedSession | undefined {
    const nodeIdSize = this.settings.nodeIdSize;
    return this.begin(
      address,
      () => new QuicSession({ address, port }, this, { ...options, share, routes, nodeIdSize }),
    );
  }
}

/** Of a connection that has begun elsewhere. */
const unreadable: HelloReader = { transport: "quic", protocol: "quic", read: () => noHello };

/** Of connection IDs that clients choose, in bytes (RFC 9000 7.2). */
const minFirstId = 8;
