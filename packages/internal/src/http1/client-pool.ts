// The connections to one node that speaks HTTP/1.

import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTLS, type ConnectionOptions } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { NodePool, NodeSpec } from "../backend/node.ts";
import type { ContentLimits } from "./request-content.ts";
import { Http1ClientConn, type ClientConnOwner, type ClientSettings } from "./client-conn.ts";

export interface PoolOptions {
  readonly settings: ClientSettings;
  readonly contentLimits: ContentLimits;
  /** `undefined`: no TLS. */
  readonly tls: ConnectionOptions | undefined;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
}

export class Http1Pool implements NodePool, ClientConnOwner {
  readonly #spec: NodeSpec;
  readonly #options: PoolOptions;
  /** The last one was used last: it is the next to be used, so that those too many grow old. */
  readonly #idle: Http1ClientConn[] = [];
  readonly #all = new Set<Http1ClientConn>();
  #isClosed = false;

  constructor(spec: NodeSpec, options: PoolOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  get settings(): ClientSettings {
    return this.#options.settings;
  }

  get contentLimits(): ContentLimits {
    return this.#options.contentLimits;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** An idle connection, or one that is being dialled. */
  take(): Http1ClientConn {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const conn = new Http1ClientConn(this);
    this.#all.add(conn);
    return conn;
  }

  close(): void {
    this.#isClosed = true;
    for (const conn of this.#idle.splice(0)) conn.destroy();
  }

  /** Breaks off what is still under way. */
  destroy(): void {
    this.close();
    for (const conn of this.#all) conn.destroy();
  }

  // ---- what its connections ask of it ----

  dial(onread: OnReadOpts): { readonly socket: Socket; readonly connectEvent: "connect" | "secureConnect" } {
    const { address, hostname } = this.#spec;
    const { tls } = this.#options;
    const to = { ...address, noDelay: true, onread };
    if (tls === undefined) return { socket: connect(to), connectEvent: "connect" };
    // An IP address is no name that could be asked for (RFC 6066 3); the certificate is checked against it all the same.
    const servername = tls.servername ?? (isIP(hostname) === 0 ? hostname : "");
    return { socket: connectTLS({ ...tls, ...to, servername }), connectEvent: "secureConnect" };
  }

  makeDeadline(onExpired: () => void): Deadline {
    return this.#options.makeDeadline(onExpired);
  }

  becameIdle(conn: Http1ClientConn): void {
    if (this.#isClosed || this.#idle.length >= this.#spec.keepConns) conn.destroy();
    else this.#idle.push(conn);
  }

  closed(conn: Http1ClientConn): void {
    this.#all.delete(conn);
    const at = this.#idle.lastIndexOf(conn);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
