// http1Outgate: connections to web servers that no backend names, for forward proxies.
//
//  exchange ── addresses ──> a pool for each address, the least recently used are dropped ──> Http1NodeExchan
//  dial ────── addresses ──> one after the other ──> socket

import type { Socket } from "node:net";
import { Deadlines } from "@hemi/common";
import { AddressDialler } from "../../backend/address-dialler.ts";
import type { NodeOwner } from "../../backend/backend.ts";
import type { ConnSettings } from "../../backend/node-conn.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { ConnPool, type PoolOptions } from "../../backend/conn-pool.ts";
import { BackendFailure } from "../../backend/failure.ts";
import { Node } from "../../backend/node.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import type { ResponseHandler, BackendRequest, WebBackend, WebExchange } from "../../http/web-backend.ts";
import { defineOutgate } from "../../stage/kinds/outgate.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { Http1NodeExchan } from "../../http1/node-exchan.ts";
import type { Http1NodeTraits, Http1Pool } from "../../http1/node-traits.ts";

const props = {
  /** Maximum number of concurrent requests and tunnels. One more gets 503. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /**
   * Maximum number of addresses (with port) to which connections are kept. Beyond it, the connections of the least
   * recently used address are closed.
   */
  maxKeptAddresses: prop.integer({ default: 200, min: 1, max: 1_000_000, reload: "live" }),
  /** Number of idle connections kept to each address. 0: none. */
  keepConns: prop.integer({ default: 4, max: 100_000 }),
  /** Time limit for a connection. After that, the next address of the name is tried; after the last: 504. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms" }),
  /** Time limit without progress while a request is sent. After that: 504. */
  writeTimeout: prop.duration({ default: "30s", min: "1ms" }),
  /**
   * Time limit for the start of the response after the request is sent, and between two pieces of it. After that: 504,
   * or the response is aborted.
   */
  readTimeout: prop.duration({ default: "50s", min: "1ms" }),
  /** How long an idle connection is kept. It is closed earlier if the server announces a shorter time. */
  aliveTimeout: prop.duration({ default: "15s", min: "1ms" }),
  /** Maximum size of a response head, and of the trailers of its content, in bytes. More: 502. */
  maxHeadSize: prop.size({ default: "32K", min: "1K", max: "1M" }),
  /** Maximum number of fields of a response. More: 502. */
  maxFields: prop.integer({ default: 200, min: 1, max: 10_000 }),
  /** Maximum number of interim (1xx) responses before a response. More: 502. */
  maxInterims: prop.integer({ default: 20, min: 1, max: 10_000 }),
};

/**
 * Connections to web servers that no backend names, for `forwardProxy`. Every stage has one, whether its configuration
 * mentions it or not.
 */
export const http1Outgate = defineOutgate({
  sign: "http1Outgate",
  props,
  create: ({ props, log }) => new Http1Outgate(props, log),
});

/** The props: durations in ms, sizes in bytes. */
export interface Http1OutgateSettings extends Omit<ConnSettings, "proxyProtocol"> {
  readonly maxConns: number;
  readonly maxKeptAddresses: number;
  readonly keepConns: number;
  readonly maxHeadSize: number;
  readonly maxFields: number;
  readonly maxInterims: number;
}

/** Connections to web servers that no backend names, for forward proxies. */
export class Http1Outgate implements Part, NodeOwner<Http1Pool> {
  readonly #settings: Http1OutgateSettings;
  readonly #deadlines: Deadlines;
  /** By address and port, the most recently used at the end. */
  readonly #nodes = new Map<string, Node<Http1Pool>>();
  /** Tunnels, and connections that may become tunnels. */
  readonly #dialler: AddressDialler;
  readonly #poolOptions: PoolOptions<Http1NodeTraits>;
  #exchanges = 0;

  constructor(settings: Http1OutgateSettings, log: ErrorLog) {
    this.#settings = settings;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#dialler = new AddressDialler({
      settings,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      whyFull: () => (this.#isFull ? this.#full() : undefined),
    });
    this.#poolOptions = {
      settings: { ...settings, proxyProtocol: "off" },
      traits: { settings: { ...settings, failStatuses: [] }, contentLimits: { ...settings, maxDiscardedContent: 0 } },
      tls: undefined,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
    };
  }

  /** Closes all connections. */
  shutdown(): void {
    for (const { pool } of this.#nodes.values()) pool.destroy();
    this.#nodes.clear();
    this.#dialler.close();
    this.#deadlines.close();
  }

  /** A backend for a port of these addresses, which belong to one host. They are tried in order. */
  backend(ips: readonly string[], port: number): WebBackend {
    const hasOther = (tried: readonly string[]) => ips.some((ip) => !tried.includes(nodeName(ip, port)));
    return {
      stickyCookie: undefined,
      whyNoRetry: (tried) => (hasOther(tried) ? undefined : "the host has no other address"),
      explain: () => ({ chosen: undefined, nodes: new Map() }),
      exchange: (request, wish, taker) => this.#exchange(ips, port, { request, wish, taker }),
    };
  }

  /** Connects to the first address that accepts. The socket supports half-close. Rejects with a BackendFailure. */
  dial(ips: readonly string[], port: number): Promise<Socket> {
    return this.#dialler.dial(ips, port);
  }

  #exchange(
    ips: readonly string[],
    port: number,
    { request, wish, taker }: { request: BackendRequest; wish: SelectionHint; taker: ResponseHandler },
  ): WebExchange {
    const exchan = new Http1NodeExchan(request, wish, taker, this);
    const ip = ips.find((ip) => !wish.tried.includes(nodeName(ip, port))) ?? ips[0];
    if (ip === undefined || this.#isFull) exchan.refused(this.#full());
    else {
      const node = this.#nodeFor(ip, port);
      node.active++;
      this.#exchanges++;
      exchan.entered(node);
    }
    return exchan;
  }

  #nodeFor(ip: string, port: number): Node<Http1Pool> {
    const name = nodeName(ip, port);
    const node = this.#nodes.get(name) ?? this.#makeNode(ip, port);
    this.#nodes.delete(name);
    this.#nodes.set(name, node);
    return node;
  }

  #makeNode(ip: string, port: number): Node<Http1Pool> {
    this.#makeRoom(this.#settings.maxKeptAddresses - 1);
    const spec = {
      address: { host: ip, port },
      hostname: ip,
      weight: 1,
      keepConns: this.#settings.keepConns,
      isBackup: false,
    };
    return new Node<Http1Pool>(spec, (spec) => new ConnPool(spec, this.#poolOptions), noSlowStart, noSlowStart);
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

  get #isFull(): boolean {
    return this.#exchanges + this.#dialler.size >= this.#settings.maxConns;
  }

  #full(): BackendFailure {
    const reason = `there are ${this.#settings.maxConns} connections already, which is maxConns of http1Outgate`;
    return new BackendFailure("HEMI_BACKEND_BUSY", "", reason);
  }

  // ---- called by its exchanges ----

  /** Called for each connection that has finished its work. */
  leave(node: Node<Http1Pool>): void {
    this.depart(node);
  }

  judge(): void {
    // Failures are not counted: the next request may be for another host at this address.
  }

  /** Called for each connection that is closed. */
  depart(node: Node<Http1Pool>): void {
    node.active--;
    this.#exchanges--;
  }

  /** Drops an address without connections. */
  forget(): void {
    // Nothing waits here.
  }
}

function nodeName(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function noSlowStart(): number {
  return 0;
}
