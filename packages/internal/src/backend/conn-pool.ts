// The connections to one node, for protocols that answer one request after the other.

import type { OnReadOpts } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Deadline } from "@hemi/common";
import { NodeConn, type NodeConnOwner, type ConnSettings } from "./node-conn.ts";
import { dialNode, type Dialled } from "./dial.ts";
import type { NodePool, NodeSpec } from "./node.ts";
import type { Endpoint } from "../net/peer.ts";
import { proxyHeader } from "../net/write-proxy-header.ts";

export interface PoolOptions<Traits> {
  readonly settings: ConnSettings;
  /** Of the protocol, for its requests. */
  readonly traits: Traits;
  /** `undefined`: no TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /**
   * The node has a process for each connection, as PHP-FPM has: one that is kept idle keeps its process, while a new one may wait for
   * any to become free. Where a new one has waited for a while, none is kept. Default: false.
   */
  readonly isProcessEach?: boolean;
}

export class ConnPool<Traits, Memory = never> implements NodePool, NodeConnOwner<Traits, Memory> {
  readonly #spec: NodeSpec;
  readonly #options: PoolOptions<Traits>;
  /** The last one was used last: it is the next to be used, so that those too many grow old. */
  readonly #idle: NodeConn<Traits, Memory>[] = [];
  readonly #all = new Set<NodeConn<Traits, Memory>>();
  /** Those that have waited for long for their first byte, perhaps to be accepted. */
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

  /** An idle connection, or one that is being dialled. `from`: whom it is for. */
  take(from: Endpoint | undefined): NodeConn<Traits, Memory> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const conn = new NodeConn<Traits, Memory>(this, from);
    this.#all.add(conn);
    if (this.#options.isProcessEach === true) this.#watch(conn);
    return conn;
  }

  /** A connection of its own for what may become a tunnel: its socket reads as streams do, and may be shut on one side. */
  dialStream(from: Endpoint | undefined): NodeConn<Traits, Memory> {
    const conn = new NodeConn<Traits, Memory>(this, from, { isStream: true });
    this.#all.add(conn);
    return conn;
  }

  /** Where one kept connection was closed, so were most likely the others: the next request gets a new one. */
  dropIdle(): void {
    for (const conn of this.#idle.splice(0)) conn.destroy();
  }

  close(): void {
    this.#isClosed = true;
    this.dropIdle();
  }

  /** Breaks off what is still under way. */
  destroy(): void {
    this.close();
    for (const conn of this.#all) conn.destroy();
  }

  // ---- what its connections ask of it ----

  dial(onread: OnReadOpts | undefined, from: Endpoint | undefined): Dialled {
    const { tls, settings } = this.#options;
    const { address } = this.#spec;
    const dialled = dialNode(this.#spec, tls, onread === undefined ? { allowHalfOpen: true } : { onread });
    if (settings.proxyProtocol !== "off" && tls === undefined) {
      const target = "path" in address ? { address: "", port: 0 } : { address: address.host, port: address.port };
      // It waits for the connection, and goes out before all else.
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

  /** If nothing comes by a new connection for a while, an idle one gives its process up for it. */
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

/** In ms. No prop: it is a guess at what a program takes to begin its answer, and a wrong one costs a connection. */
const firstByteTime = 100;
