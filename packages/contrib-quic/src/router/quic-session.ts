// The datagrams of a QUIC connection between one address of its client and its node.

import {
  RouterSession,
  type DatagramShare,
  type Endpoint,
  type HelloReader,
  type RouterOfSessions,
} from "@hemi/internal";
import { isLongHeader, readLongHeader } from "../initial/long-header.ts";
import type { Route, RoutedSession, Routes } from "./routes.ts";

export interface QuicSessionOptions {
  readonly reader: HelloReader;
  readonly share: DatagramShare;
  readonly route: Route;
  readonly routes: Routes;
  /** The ID that its first packet was sent to; `undefined`: it goes on with a connection that has begun elsewhere. */
  readonly firstId: string | undefined;
  /** Of the ID of a node in connection IDs, in bytes; 0: it is not there. */
  readonly nodeIdSize: number;
}

export class QuicSession extends RouterSession implements RoutedSession {
  readonly route: Route;
  readonly firstId: string | undefined;
  readonly #routes: Routes;
  readonly #nodeIdSize: number;

  constructor(source: Endpoint, router: RouterOfSessions, options: QuicSessionOptions) {
    super(source, options.reader, options.share, router);
    this.route = options.route;
    this.firstId = options.firstId;
    this.#routes = options.routes;
    this.#nodeIdSize = options.nodeIdSize;
    options.routes.add(this);
    this.onClose(() => options.routes.delete(this));
  }

  /** Its node is known by the node's ID alone, which anyone may guess. */
  get isGuessed(): boolean {
    return this.firstId === undefined && this.route.ids.size === 0;
  }

  /** Its client has shown its address: what it sends to unknown IDs belongs to this connection now. */
  addressShown(): void {
    this.#routes.proven(this);
  }

  /** The client keeps to the connection ID that its node names in the handshake: whoever sends to it has read it. */
  override send(datagram: Buffer): boolean {
    if (isLongHeader(datagram[0] ?? 0)) this.#learn(datagram);
    return super.send(datagram);
  }

  #learn(datagram: Buffer): void {
    const header = readLongHeader(datagram);
    // Version negotiation repeats what the client has chosen.
    if (header === undefined || header.version === 0 || header.scid.length === 0) return;
    const { taker } = this;
    if (taker === undefined) return;
    this.route.taker = taker;
    this.route.node = this.node;
    this.#routes.learn(header.scid, this.route, this.#nodeIdSize);
  }
}
