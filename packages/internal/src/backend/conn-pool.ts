// The connections to one node, for protocols with one request at a time on a connection.

import type { OnReadOpts } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Roster, type Deadline } from "@hemi/common";
import { NodeConn, type NodeConnOwner, type ConnSettings } from "./node-conn.ts";
import { dialNode, type Dialled } from "./dial.ts";
import type { NodePool, NodeSpec } from "./node.ts";
import type { Endpoint } from "../net/peer.ts";
import { proxyHeader } from "../net/write-proxy-header.ts";

export interface PoolOptions<Traits> {
  readonly settings: ConnSettings;
  /** Settings of the protocol for its requests. */
  readonly traits: Traits;
  /** `undefined`: no TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /**
   * Whether the node needs a process for each connection, like PHP-FPM. An idle connection then occupies a process,
   * while a new connection may wait for a free one. If a new connection has waited for a while, no idle ones are kept.
   * Default: false.
   */
  readonly isProcessEach?: boolean;
}

export class ConnPool<Traits, Memory = never> implements NodePool, NodeConnOwner<Traits, Memory> {
  readonly #spec: NodeSpec;
  readonly #options: PoolOptions<Traits>;
  /**
   * Ordered by last use. The most recently used connection is taken first, so that surplus connections become old and
   * are closed.
   */
  readonly #idle: NodeConn<Traits, Memory>[] = [];
  readonly #all = new Roster<NodeConn<Traits, Memory>>();
  /** Connections that have waited for their first byte for a long time, possibly for their acceptance. */
  readonly #starving = new Set<NodeConn<Traits, Memory>>();
  #isClosed = false;

  constructor(spec: NodeSpec, options: PoolOptions<Traits>) {
    this.#spec = spec;
    this.#options = options;
  }

  get settings(): ConnSettings {
    return this.#options.settings;
  }

  get traits(): Traits {
    return this.#options.traits;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** Returns an idle connection or dials a new one. `from`: the client. */
  take(from: Endpoint | undefined): NodeConn<Traits, Memory> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const conn = new NodeConn<Traits, Memory>(this, from);
    this.#all.add(conn);
    if (this.#options.isProcessEach === true) this.#watch(conn);
    return conn;
  }

  /** Dials a separate connection that may become a tunnel: its socket reads as streams do, and supports half-close. */
  dialStream(from: Endpoint | undefined): NodeConn<Traits, Memory> {
    const conn = new NodeConn<Traits, Memory>(this, from, { isStream: true });
    this.#all.add(conn);
    return conn;
  }

  /**
   * If one idle connection was closed by the node, the others most likely were, too: the next request uses a new one.
   */
  dropIdle(): void {
    for (const conn of this.#idle.splice(0)) conn.destroy();
  }

  close(): void {
    this.#isClosed = true;
    this.dropIdle();
  }

  /** Aborts running requests. */
  destroy(): void {
    this.close();
    for (const conn of this.#all) conn.destroy();
  }

  // ---- called by its connections ----

  dial(onread: OnReadOpts | undefined, from: Endpoint | undefined): Dialled {
    const { tls, settings } = this.#options;
    const { address } = this.#spec;
    const dialled = dialNode(this.#spec, tls, onread === undefined ? { allowHalfOpen: true } : { onread });
    if (settings.proxyProtocol !== "off" && tls === undefined) {
      const target = "path" in address ? { address: "", port: 0 } : { address: address.host, port: address.port };
      // Node buffers it until the socket is connected, and sends it before anything else.
      dialled.socket.write(proxyHeader(settings.proxyProtocol, from, target));
    }
    return dialled;
  }

  makeDeadline(onExpired: () => void): Deadline {
    return this.#options.makeDeadline(onExpired);
  }

  becameIdle(conn: NodeConn<Traits, Memory>): void {
    const isForOne = this.settings.proxyProtocol !== "off";
    const isKept = !this.#isClosed && !isForOne && !this.#isAnyStarving() && this.#idle.length < this.#spec.keepConns;
    if (!isKept) conn.destroy();
    else this.#idle.push(conn);
  }

  closed(conn: NodeConn<Traits, Memory>): void {
    this.#all.delete(conn);
    this.#starving.delete(conn);
    const at = this.#idle.lastIndexOf(conn);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** If a new connection receives nothing for a while, an idle connection is closed to free its process. */
  #watch(conn: NodeConn<Traits, Memory>): void {
    this.makeDeadline(() => {
      if (conn.hasReceived || !this.#all.has(conn)) return;
      this.#starving.add(conn);
      this.#idle.shift()?.destroy();
    }).set(firstByteTime);
  }

  #isAnyStarving(): boolean {
    for (const conn of this.#starving) {
      if (!conn.hasReceived) return true;
      this.#starving.delete(conn);
    }
    return false;
  }
}

/**
 * In milliseconds. Not a prop: it estimates how soon a program starts its response, and a wrong estimate only costs a
 * connection.
 */
const firstByteTime = 100;
