// The routes of a quicRouter at one of its addresses: where the packets of a connection go, by their connection IDs.
//
//   packet ── the ID was given by a node ──> Route ── a session with this address of the client ──> it
//     │                                        └── no session: the client has another address now ──> one more, same node
//     ├── sent to the ID of a first packet, from the same address ──> its session
//     └── another ID: from a node (NEW_CONNECTION_ID), which we cannot read ──> by its node's ID, or the client's address
//
// A successor of a router gets the datagrams of its predecessor's connections, and finds them here.

import type { DatagramSockets, Endpoint, RouterSession, Taker } from "@hemi/internal";

/** The datagrams of a connection between one address of its client and its node. */
export interface RoutedSession extends RouterSession {
  readonly route: Route;
  /** The ID that its first packet was sent to; `undefined`: it goes on with a connection that has begun elsewhere. */
  readonly firstId: string | undefined;
}

/** One connection. */
export class Route {
  /** By the address of the client. */
  readonly sessions = new Map<string, RoutedSession>();
  /** IDs that the node has given. */
  readonly ids = new Set<string>();
  /** The dealet that has it, once it was answered. */
  taker: Taker | undefined;
  /** The id of the node in its backend. */
  node = "";

  /** `like`: another connection of the same node. */
  constructor(like?: Route) {
    if (like === undefined) return;
    this.taker = like.taker;
    this.node = like.node;
  }

  /**
   * Makes room for one more address. Whoever has a connection may send with any forged address: the oldest of the
   * addresses that it has moved to gives way, and its session begins anew if it was a true one.
   */
  makeRoom(): void {
    const moved = [...this.sessions.values()].filter(({ firstId }) => firstId === undefined);
    if (moved.length >= maxMovedSessions) moved[0]?.close("refused");
  }
}

export class Routes {
  static readonly #all = new WeakMap<DatagramSockets, Map<string, Routes>>();
  readonly #byId = new Map<string, Route>();
  /** How many IDs there are of each size: a short header does not tell the size. */
  readonly #sizes = new Map<number, number>();
  /** The last answered connection of each node, by what its connection IDs have in common. */
  readonly #byNodeId = new Map<string, Route>();
  /** The last session of each client's address that is proven, or else the last one. */
  readonly #byClient = new Map<string, RoutedSession>();
  /** By the client's address and the ID that it has sent its first packet to. */
  readonly #byFirstId = new Map<string, RoutedSession>();

  /** Those of an address of these sockets. */
  static of(sockets: DatagramSockets, { address, port }: Endpoint): Routes {
    const all = Routes.#all.get(sockets) ?? new Map<string, Routes>();
    Routes.#all.set(sockets, all);
    const key = `${address} ${port}`;
    const routes = all.get(key) ?? new Routes();
    all.set(key, routes);
    return routes;
  }

  /** The connection that a node has given this ID to. */
  byId(id: Buffer): Route | undefined {
    return this.#byId.get(keyOfId(id));
  }

  /** The same for a packet with a short header. */
  byShortHeader(packet: Buffer): Route | undefined {
    for (const size of this.#sizes.keys()) {
      const route = this.#byId.get(packet.toString("latin1", 1, 1 + size));
      if (route !== undefined) return route;
    }
    return undefined;
  }

  /** A connection of the node whose own ID, of so many bytes, is in this connection ID. */
  byNodeId(id: Buffer, size: number): Route | undefined {
    const key = nodeKey(id, size);
    return key === undefined ? undefined : this.#byNodeId.get(key);
  }

  byFirstId(client: string, id: Buffer): RoutedSession | undefined {
    return this.#byFirstId.get(firstKey(client, keyOfId(id)));
  }

  byClient(client: string): RoutedSession | undefined {
    return this.#byClient.get(client);
  }

  add(session: RoutedSession): void {
    const client = clientKey(session.source);
    session.route.sessions.set(client, session);
    // The first packet of another connection may be forged: it takes nothing from a client that is proven.
    if (this.#byClient.get(client)?.isProven !== true) this.#byClient.set(client, session);
    if (session.firstId !== undefined) this.#byFirstId.set(firstKey(client, session.firstId), session);
  }

  /** The client of a session has shown its address. */
  proven(session: RoutedSession): void {
    this.#byClient.set(clientKey(session.source), session);
  }

  /** Call it once. The connection is forgotten with its last session. */
  delete(session: RoutedSession): void {
    const client = clientKey(session.source);
    const { route } = session;
    route.sessions.delete(client);
    if (this.#byClient.get(client) === session) this.#byClient.delete(client);
    if (session.firstId !== undefined) this.#byFirstId.delete(firstKey(client, session.firstId));
    if (route.sessions.size > 0) return;
    for (const id of route.ids) this.#forget(id);
  }

  /** A node has given this ID to a connection. `nodeIdSize`: of its own ID in it, in bytes; 0: it is not there. */
  learn(id: Buffer, route: Route, nodeIdSize: number): void {
    const node = nodeKey(id, nodeIdSize);
    if (node !== undefined && (this.#byNodeId.has(node) || this.#byNodeId.size < maxNodeIds)) {
      this.#byNodeId.set(node, route);
    }
    const key = keyOfId(id);
    if (route.ids.size >= maxIdsOfRoute || this.#byId.has(key)) return;
    route.ids.add(key);
    this.#byId.set(key, route);
    this.#sizes.set(id.length, (this.#sizes.get(id.length) ?? 0) + 1);
  }

  #forget(id: string): void {
    this.#byId.delete(id);
    const left = (this.#sizes.get(id.length) ?? 1) - 1;
    if (left === 0) this.#sizes.delete(id.length);
    else this.#sizes.set(id.length, left);
  }
}

/** The address of a client, as a key. */
export function clientKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

/** A connection ID as a key. */
export function keyOfId(id: Buffer): string {
  return id.toString("latin1");
}

function nodeKey(id: Buffer, size: number): string | undefined {
  return size === 0 || id.length <= size ? undefined : id.toString("latin1", 1, 1 + size);
}

function firstKey(client: string, id: string): string {
  return `${client} ${id}`;
}

/** Addresses of one connection but the first. No prop: a client has one at a time. */
const maxMovedSessions = 4;
/** Servers name one in the handshake, and one in a Retry packet. */
const maxIdsOfRoute = 8;
/** More than any backend has nodes. */
const maxNodeIds = 10_000;
