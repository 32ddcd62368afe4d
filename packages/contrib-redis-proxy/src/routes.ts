// Where a request goes: to the backend of its keys, and there to any node, or to the one that a cluster names.

import type { Reference, TcpsBackend } from "@hemi/internal";
import type { Command } from "./commands.ts";
import { slotOf } from "./hash-slot.ts";
import { ClusterMap } from "./node/cluster-map.ts";
import { NodeConn, type ConnSetup } from "./node/node-conn.ts";
import { SharedConns } from "./node/shared-conns.ts";

/** Read at each use, because live props change them. */
export interface RouteSettings {
  readonly toBackend: Reference<TcpsBackend>;
  readonly toReplicas: Reference<TcpsBackend> | undefined;
  readonly routes: readonly { readonly prefix: string; readonly toBackend: Reference<TcpsBackend> }[];
  readonly cluster: boolean;
  readonly nodeUser: string;
  readonly nodePassword: string;
  readonly connsPerNode: number;
  readonly maxReplySize: number;
}

/** What a connection of a client has chosen. */
export interface ClientChoice {
  readonly id: number;
  readonly protocol: 2 | 3;
  readonly database: number;
}

/** What happens at a connection of one client. */
export interface OwnConnEvents {
  /** A message that nobody has asked for. The bytes are valid until it returns. */
  readonly pushed: (message: Buffer) => void;
  readonly closed: () => void;
}

/** Where a request goes. */
export interface Target {
  readonly isCluster: boolean;
  /** A connection that clients share. */
  conn(client: ClientChoice): NodeConn;
  /** A connection for this client alone. */
  ownConn(client: ClientChoice, events: OwnConnEvents): NodeConn;
  /** Where a reply says that the request has to go. `undefined`: it is a reply like any other. */
  redirect(reply: Buffer): { readonly target: Target; readonly isAsking: boolean } | undefined;
  /** The node did not reply. */
  broken(): void;
}

export class Routes {
  readonly #settings: RouteSettings;
  readonly #now: () => number;
  readonly #log: (failure: string) => void;
  readonly #shared = new Map<TcpsBackend, SharedConns>();
  #map: ClusterMap | undefined;

  constructor(settings: RouteSettings, now: () => number, log: (failure: string) => void) {
    this.#settings = settings;
    this.#now = now;
    this.#log = log;
  }

  /** For requests without keys. */
  get anyTarget(): Target {
    return this.#target(this.#settings.toBackend.current, undefined);
  }

  /** The target, or the error that the client gets. */
  targetOf(name: string, command: Command, keys: readonly Buffer[]): Target | string {
    const { toBackend, toReplicas, cluster } = this.#settings;
    const [key] = keys;
    if (key === undefined) {
      if (cluster && ofOneNode.has(name)) return `ERR ${name} is about one node of a cluster only`;
      return this.anyTarget;
    }
    const routed = this.#routeOf(key);
    if (keys.some((each) => this.#routeOf(each) !== routed)) {
      return "CROSSSLOT Keys in request belong to different backends";
    }
    if (routed !== undefined) return this.#target(routed.current, undefined);
    if (cluster) {
      const slot = slotOf(key);
      return this.#target(toBackend.current, this.#clusterMap.nodeOf(slot));
    }
    const isRead = !command.writes && command.need === "shared" && toReplicas !== undefined;
    return this.#target((isRead ? toReplicas : toBackend).current, undefined);
  }

  /** Calls back when the first map of a cluster is there, or could not be had. */
  whenReady(ready: () => void): void {
    if (this.#settings.cluster) this.#clusterMap.whenKnown(ready);
    else ready();
  }

  close(): void {
    for (const shared of this.#shared.values()) shared.close();
  }

  #routeOf(key: Buffer): Reference<TcpsBackend> | undefined {
    let best: RouteSettings["routes"][number] | undefined;
    for (const route of this.#settings.routes) {
      const isLonger = route.prefix.length >= (best?.prefix.length ?? 0);
      if (isLonger && key.indexOf(route.prefix) === 0) best = route;
    }
    return best?.toBackend;
  }

  get #clusterMap(): ClusterMap {
    const nobody = { id: 0, protocol: 2, database: 0 } as const;
    this.#map ??= new ClusterMap(() => this.anyTarget.conn(nobody), this.#now);
    return this.#map;
  }

  #sharedOf(backend: TcpsBackend): SharedConns {
    const known = this.#shared.get(backend);
    if (known !== undefined) return known;
    const made = new SharedConns({ backend, settings: this.#settings, log: this.#log });
    this.#shared.set(backend, made);
    return made;
  }

  #target(backend: TcpsBackend, only: string | undefined): Target {
    const { cluster, maxReplySize } = this.#settings;
    return {
      isCluster: cluster,
      conn: (client) => this.#sharedOf(backend).take(only, this.#setup(client), client.id),
      ownConn: (client, { pushed, closed }) =>
        new NodeConn({
          backend,
          only,
          setup: this.#setup(client),
          maxReplySize: () => maxReplySize,
          pushed,
          closed,
          log: this.#log,
        }),
      redirect: (reply) => this.#redirect(reply),
      broken: () => this.#map?.refresh(),
    };
  }

  /** `-MOVED 3999 127.0.0.1:6381`, `-ASK 3999 127.0.0.1:6381`. */
  #redirect(reply: Buffer): { readonly target: Target; readonly isAsking: boolean } | undefined {
    if (reply[0] !== 45 || (reply[1] !== 77 && reply[1] !== 65)) return undefined;
    const [, word, slot, node] = /^-(MOVED|ASK) (\d{1,5}) (\S+:\d{1,5})\r\n$/.exec(reply.toString("latin1")) ?? [];
    if (node === undefined) return undefined;
    if (word === "MOVED") this.#clusterMap.moved(Number(slot), node);
    return { target: this.#target(this.#settings.toBackend.current, node), isAsking: word === "ASK" };
  }

  #setup({ protocol, database }: ClientChoice): ConnSetup {
    const { nodeUser, nodePassword } = this.#settings;
    return { user: nodeUser, password: nodePassword, protocol, database };
  }
}

/** In a cluster their reply would be about one node, and clients would take it for all. */
const ofOneNode: ReadonlySet<string> = new Set([
  "DBSIZE",
  "FLUSHALL",
  "FLUSHDB",
  "KEYS",
  "RANDOMKEY",
  "SCAN",
  "SWAPDB",
]);
