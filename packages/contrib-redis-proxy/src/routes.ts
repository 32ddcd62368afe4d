// Where a request goes: to the backend of its keys, and there to any node, or to the one that a cluster names.

import type { Deadline } from "@hemi/common";
import type { Reference, TcpsBackend } from "@hemi/internal";
import type { Command } from "./commands.ts";
import { slotOf } from "./hash-slot.ts";
import { ClusterMap } from "./node/cluster-map.ts";
import { NodeConn, type ConnSetup } from "./node/node-conn.ts";
import { SharedConns, type ClientChoice } from "./node/shared-conns.ts";

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
  readonly replyTimeout: number;
}

/** What routes need of the proxy. */
export interface RouteHost {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly log: (failure: string) => void;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

/** What happens at a connection of one client. */
export interface OwnConnEvents {
  /** A message that nobody has asked for. The bytes are valid until it returns. */
  readonly pushed: (message: Buffer) => void;
  /** The node takes more, after `isSlow`. */
  readonly drained: () => void;
  readonly closed: () => void;
}

/** What MOVED or ASK says. */
export interface Redirect {
  /** Believes it: the map is corrected by MOVED. */
  follow(): { readonly target: Target; readonly isAsking: boolean };
}

/** Where a request goes. */
export interface Target {
  readonly isCluster: boolean;
  /** A connection that clients share. */
  conn(client: ClientChoice): NodeConn;
  /** A connection for this client alone. */
  ownConn(client: ClientChoice, events: OwnConnEvents): NodeConn;
  /** Where a reply says that the request has to go. `undefined`: it is a reply like any other. */
  redirect(reply: Buffer): Redirect | undefined;
  /** The node did not reply. */
  broken(): void;
}

export class Routes {
  readonly #settings: RouteSettings;
  readonly #host: RouteHost;
  readonly #shared = new Map<TcpsBackend, SharedConns>();
  /** By backend, then by the node. */
  readonly #targets = new Map<TcpsBackend, Map<string | undefined, Target>>();
  #map: ClusterMap | undefined;

  constructor(settings: RouteSettings, host: RouteHost) {
    this.#settings = settings;
    this.#host = host;
  }

  /** For requests without keys. */
  get anyTarget(): Target {
    return this.#target(this.#settings.toBackend.current, undefined);
  }

  /** The target, or the error that the client gets. */
  targetOf(name: string, command: Command, keys: readonly Buffer[]): Target | string {
    const { toBackend, toReplicas, cluster, routes } = this.#settings;
    const [key] = keys;
    if (key === undefined) {
      if (cluster && ofOneNode.has(name)) return `ERR ${name} is about one node of a cluster only`;
      return this.anyTarget;
    }
    if (routes.length > 0) {
      const routed = this.#routeOf(key);
      if (keys.some((each) => this.#routeOf(each) !== routed)) {
        return "CROSSSLOT Keys in request belong to different backends";
      }
      if (routed !== undefined) return this.#target(routed.current, undefined);
    }
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
    this.#map ??= new ClusterMap(() => this.anyTarget.conn(nobody), this.#host.now);
    return this.#map;
  }

  #sharedOf(backend: TcpsBackend): SharedConns {
    const known = this.#shared.get(backend);
    if (known !== undefined) return known;
    const made = new SharedConns({
      backend,
      settings: this.#settings,
      setup: (client) => this.#setup(client),
      ...this.#host,
    });
    this.#shared.set(backend, made);
    return made;
  }

  #target(backend: TcpsBackend, only: string | undefined): Target {
    const known = this.#targets.get(backend)?.get(only);
    if (known !== undefined) return known;
    const made = this.#newTarget(backend, only);
    const targets = this.#targets.get(backend) ?? new Map<string | undefined, Target>();
    this.#targets.set(backend, targets);
    // Nodes are named by a cluster, which may name many in the course of time.
    if (targets.size < maxTargets) targets.set(only, made);
    return made;
  }

  #newTarget(backend: TcpsBackend, only: string | undefined): Target {
    const { cluster } = this.#settings;
    const shared = this.#sharedOf(backend);
    return {
      isCluster: cluster,
      conn: (client) => shared.take(only, client),
      ownConn: (client, { pushed, drained, closed }) =>
        new NodeConn({
          backend,
          only,
          setup: this.#setup(client),
          maxReplySize: () => this.#settings.maxReplySize,
          pushed,
          drained,
          closed,
          log: this.#host.log,
        }),
      redirect: (reply) => this.#redirect(reply),
      broken: () => this.#map?.refresh(),
    };
  }

  /** `-MOVED 3999 127.0.0.1:6381`, `-ASK 3999 127.0.0.1:6381`. */
  #redirect(reply: Buffer): Redirect | undefined {
    if (reply[0] !== 45 || (reply[1] !== 77 && reply[1] !== 65)) return undefined;
    const [, word, slot, node] = /^-(MOVED|ASK) (\d{1,5}) (\S+:\d{1,5})\r\n$/.exec(reply.toString("latin1")) ?? [];
    if (node === undefined) return undefined;
    return {
      follow: () => {
        if (word === "MOVED") this.#clusterMap.moved(Number(slot), node);
        return { target: this.#target(this.#settings.toBackend.current, node), isAsking: word === "ASK" };
      },
    };
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

/** Not a prop: beyond that, targets are made for each request. */
const maxTargets = 1000;
