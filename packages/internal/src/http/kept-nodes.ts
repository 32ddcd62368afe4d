// Nodes that no backend names, for outgates: one for each address that is asked for, kept for as long as it is used.
//
//  exchange ── addresses ──> a node for each, the least recently used are dropped ──> an exchan of the protocol

import type { NodeOwner } from "../backend/backend.ts";
import { BackendFailure } from "../backend/failure.ts";
import type { Waiter } from "../backend/node-group.ts";
import { Node, type NodePool, type NodeSpec } from "../backend/node.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import { formatAddress } from "../component/props/addresses.ts";
import type { BackendRequest, ResponseHandler, WebBackend, WebExchange } from "./web-backend.ts";

export interface KeptNodesOptions<Pool extends NodePool> {
  /** Of the outgate. */
  readonly sign: string;
  /** Read at each use: live. */
  readonly settings: {
    /** Requests at once, with `otherConns`. */
    readonly maxConns: number;
    readonly maxKeptAddresses: number;
    /** Idle connections to each address. */
    readonly keepConns: number;
  };
  /** Connections that are not those of requests. Default: none. */
  readonly otherConns?: () => number;
  readonly makePool: (spec: NodeSpec) => Pool;
  readonly newExchan: (
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    owner: NodeOwner<Pool>,
  ) => WebExchange & Waiter<Pool>;
}

/** A server, at a port of any of its addresses. */
export interface KeptHost {
  /** Tried in order. */
  readonly ips: readonly string[];
  readonly port: number;
  /** Whom its certificate has to be of. "": that of the IP address. */
  readonly hostname: string;
}

/** The nodes of servers that no backend names, by address: the least recently used ones are dropped. */
export class KeptNodes<Pool extends NodePool> implements NodeOwner<Pool> {
  readonly #options: KeptNodesOptions<Pool>;
  /** By address, port and hostname, the most recently used at the end. */
  readonly #nodes = new Map<string, Node<Pool>>();
  #exchanges = 0;

  constructor(options: KeptNodesOptions<Pool>) {
    this.#options = options;
  }

  /** A backend for one host. */
  backend(host: KeptHost): WebBackend {
    const hasOther = (tried: readonly string[]): boolean =>
      host.ips.some((ip) => !tried.includes(formatAddress({ host: ip, port: host.port })));
    return {
      stickyCookie: undefined,
      whyNoRetry: (tried) => (hasOther(tried) ? undefined : "the host has no other address"),
      explain: () => ({ chosen: undefined, nodes: new Map() }),
      exchange: (request, wish, taker) => this.#exchange(host, request, wish, taker),
    };
  }

  /** Why no other connection may be opened; `undefined` if one may. */
  whyFull(): BackendFailure | undefined {
    const { settings, sign, otherConns } = this.#options;
    if (this.#exchanges + (otherConns?.() ?? 0) < settings.maxConns) return undefined;
    const reason = `there are ${settings.maxConns} connections already, which is maxConns of ${sign}`;
    return new BackendFailure("HEMI_BACKEND_BUSY", "", reason);
  }

  /** Closes all connections. */
  shutdown(): void {
    for (const { pool } of this.#nodes.values()) pool.destroy();
    this.#nodes.clear();
  }

  #exchange(
    { ips, port, hostname }: KeptHost,
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
  ): WebExchange {
    const exchan = this.#options.newExchan(request, wish, taker, this);
    const ip = ips.find((ip) => !wish.tried.includes(formatAddress({ host: ip, port }))) ?? ips[0];
    const full = this.whyFull();
    if (full !== undefined || ip === undefined) {
      exchan.refused(full ?? new BackendFailure("HEMI_BACKEND_DIAL", "", "the host has no address"));
      return exchan;
    }
    const node = this.#nodeFor({ address: { host: ip, port }, hostname: hostname === "" ? ip : hostname });
    node.active++;
    this.#exchanges++;
    exchan.entered(node);
    return exchan;
  }

  #nodeFor({ address, hostname }: { address: { host: string; port: number }; hostname: string }): Node<Pool> {
    const key = `${formatAddress(address)} ${hostname}`;
    let node = this.#nodes.get(key);
    this.#nodes.delete(key);
    if (node === undefined) {
      const { settings, makePool } = this.#options;
      this.#makeRoom(settings.maxKeptAddresses - 1);
      const spec = { address, hostname, weight: 1, keepConns: settings.keepConns, isBackup: false };
      node = new Node<Pool>(spec, makePool, noSlowStart, noSlowStart);
    }
    this.#nodes.set(key, node);
    return node;
  }

  /** Busy ones are kept, whatever their age: `maxConns` limits them. */
  #makeRoom(most: number): void {
    let surplus = this.#nodes.size - most;
    for (const [name, node] of this.#nodes) {
      if (surplus-- <= 0) return;
      if (node.active > 0) continue;
      node.pool.close();
      this.#nodes.delete(name);
    }
  }

  // ---- called by its exchanges ----

  /** Called for each that has finished its work. */
  leave(node: Node<Pool>): void {
    this.depart(node);
  }

  judge(): void {
    // Failures are not counted: the next request may be for another host at this address.
  }

  /** Called for each tunnel that is closed. */
  depart(node: Node<Pool>): void {
    node.active--;
    this.#exchanges--;
  }

  /** What has asked for a node wants none any more. */
  forget(): void {
    // Nothing waits here.
  }
}

function noSlowStart(): number {
  return 0;
}
