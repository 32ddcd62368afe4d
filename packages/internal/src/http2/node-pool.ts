// The connections to one node over HTTP/2: few, each with many requests at once.
//
//   take ── a connection with room, the one that has least to do ──> it
//     └──── none: another is dialled, if there may be more; it waits until one has room ──> 503 after queueTimeout

import type { Deadline } from "@hemi/common";
import { dialNode, type Dialled } from "../backend/dial.ts";
import type { FailureCode } from "../backend/failure.ts";
import type { NodeSpec } from "../backend/node.ts";
import type { WebPoolOptions } from "../http/web-backend-part.ts";
import { Http2NodeConn, type Http2NodeConnOwner } from "./node-conn.ts";
import type { ConnSource, Http2NodeExchan } from "./node-exchan.ts";
import type { Http2NodeSettings } from "./node-props.ts";

export class Http2Pool implements ConnSource, Http2NodeConnOwner {
  readonly #spec: NodeSpec;
  readonly #options: WebPoolOptions<Http2NodeSettings>;
  readonly #conns = new Set<Http2NodeConn>();
  /**
   * Those that have no connection yet, in the order of their coming. The deadline is set once there are connections
   * that could not take them.
   */
  readonly #waiting = new Map<Http2NodeExchan, Deadline | undefined>();
  #isClosed = false;
  #isDestroyed = false;

  constructor(spec: NodeSpec, options: WebPoolOptions<Http2NodeSettings>) {
    this.#spec = spec;
    this.#options = options;
  }

  get settings(): Http2NodeSettings {
    return this.#options.settings;
  }

  /** Gives a request a connection, at once or later, or says that there is none. */
  take(exchan: Http2NodeExchan): void {
    if (this.#isDestroyed) return exchan.unavailable("HEMI_BACKEND_BUSY", shutsDown);
    const conn = this.#waiting.size === 0 ? this.#leastBusy() : undefined;
    if (conn !== undefined) return conn.begin(exchan);
    this.#waiting.set(exchan, undefined);
    this.#serveWaiting();
  }

  /** A request does not want a connection any more. */
  forget(exchan: Http2NodeExchan): void {
    this.#waiting.get(exchan)?.clear();
    this.#waiting.delete(exchan);
  }

  close(): void {
    this.#isClosed = true;
    for (const conn of this.#conns) conn.leave();
  }

  destroy(): void {
    this.#isClosed = true;
    this.#isDestroyed = true;
    this.#refuseWaiting("HEMI_BACKEND_BUSY", shutsDown);
    for (const conn of this.#conns) conn.destroy();
  }

  // ---- what its connections ask of it ----

  dial(): Dialled {
    return dialNode(this.#spec, this.#options.tls);
  }

  makeDeadline(onExpired: () => void): Deadline {
    return this.#options.makeDeadline(onExpired);
  }

  monotonic(): number {
    return performance.now();
  }

  changed(conn: Http2NodeConn): void {
    if (this.#waiting.size > 0) this.#serveWaiting();
    // Those that do not do for who waits are kept: others would be dialled, and do no better.
    const isTooMany = this.#waiting.size === 0 && this.#idleConns > this.#spec.keepConns;
    if (conn.isIdle && (this.#isClosed || isTooMany)) conn.leave();
  }

  closed(conn: Http2NodeConn, code: FailureCode, reason: string): void {
    const wasNeeded = this.#conns.delete(conn) && ![...this.#conns].some((other) => other.isDialing || other.room > 0);
    // What cannot be dialled now, or is of no use then, will not be in a moment; those who can go elsewhere should.
    if (conn.requests === 0 && wasNeeded) this.#refuseWaiting(code, reason);
    else this.#serveWaiting();
  }

  get #idleConns(): number {
    let count = 0;
    for (const conn of this.#conns) if (conn.isIdle) count++;
    return count;
  }

  #leastBusy(): Http2NodeConn | undefined {
    let least: Http2NodeConn | undefined;
    for (const conn of this.#conns) {
      if (conn.room > 0 && (least === undefined || conn.streamCount < least.streamCount)) least = conn;
    }
    return least;
  }

  #serveWaiting(): void {
    // Who is given a connection may fail at once, and others take his place or leave meanwhile.
    for (const exchan of this.#waiting.keys()) {
      const conn = this.#leastBusy();
      if (conn === undefined) break;
      this.forget(exchan);
      conn.begin(exchan);
    }
    if (this.#waiting.size === 0) return;
    const conns = [...this.#conns];
    // What a connection can take is known once it stands: another is dialled only then.
    if (!conns.some((conn) => conn.isDialing)) {
      // Those that leave are finishing what they have, and take nothing from anybody.
      const usable = conns.filter((conn) => !conn.isLeaving).length;
      if (usable < this.settings.http2MaxConns) this.#conns.add(new Http2NodeConn(this));
    }
    if (!conns.some((conn) => conn.hasStood)) return;
    for (const [exchan, deadline] of this.#waiting) if (deadline === undefined) this.#limit(exchan);
  }

  #refuseWaiting(code: FailureCode, reason: string): void {
    for (const exchan of [...this.#waiting.keys()]) {
      this.forget(exchan);
      exchan.unavailable(code, reason);
    }
  }

  #limit(exchan: Http2NodeExchan): void {
    const { queueTimeout } = this.settings;
    const deadline = this.makeDeadline(() => {
      this.forget(exchan);
      exchan.unavailable("HEMI_BACKEND_BUSY", `none of its connections could take it for ${queueTimeout} ms`);
    });
    deadline.set(queueTimeout);
    this.#waiting.set(exchan, deadline);
  }
}

const shutsDown = "the stage shuts down";
