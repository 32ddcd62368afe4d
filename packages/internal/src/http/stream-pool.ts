// The connections to one node that each carry many requests at once: few of them.
//
//   take ── a connection with room, the one that has least to do ──> it
//     └──── none: another is dialled, if there may be more; it waits until one has room ──> 503 after queueTimeout

import { performance } from "node:perf_hooks";
import type { Deadline } from "@hemi/common";
import type { FailureCode } from "../backend/failure.ts";
import type { NodeSpec } from "../backend/node.ts";

/** A request that waits for a connection. */
export interface PooledExchan {
  /** There is none. */
  unavailable(code: FailureCode, reason: string): void;
}

/** A connection to the node. */
export interface PooledConn<Exchan> {
  /** Requests that were begun here. */
  readonly requests: number;
  /** It is not known yet what it can take. */
  readonly isDialing: boolean;
  /** The node has been seen to speak the protocol. */
  readonly hasStood: boolean;
  /** It takes no other request. */
  readonly isLeaving: boolean;
  /** Nothing is under way on it. */
  readonly isIdle: boolean;
  /** How many requests are under way on it. */
  readonly streamCount: number;
  /** How many more requests it can take now. */
  readonly room: number;
  /** Only where there is room. */
  begin(exchan: Exchan): void;
  /** Takes no request any more, and is closed as soon as none is left. */
  leave(): void;
  /** Breaks it off, with all that is under way on it. */
  destroy(): void;
}

export interface StreamPoolSettings {
  /** In ms, for a connection with room. */
  readonly queueTimeout: number;
}

/** The connections to a node, each of which carries several requests at once. */
export abstract class StreamPool<Exchan extends PooledExchan, Conn extends PooledConn<Exchan>> {
  /** The node, as configured. */
  protected readonly spec: NodeSpec;
  readonly #makeDeadline: (onExpired: () => void) => Deadline;
  readonly #conns = new Set<Conn>();
  /**
   * Those that have no connection yet, in the order of their coming. The deadline is set once there are connections
   * that could not take them.
   */
  readonly #waiting = new Map<Exchan, Deadline | undefined>();
  #isClosed = false;
  #isDestroyed = false;

  constructor(spec: NodeSpec, makeDeadline: (onExpired: () => void) => Deadline) {
    this.spec = spec;
    this.#makeDeadline = makeDeadline;
  }

  /** Looked at whenever they are used: live. */
  abstract get settings(): StreamPoolSettings;
  /** How many connections there may be. */
  protected abstract get maxConns(): number;
  /** Begins to dial: `changed` or `closed` follows. */
  protected abstract dialConn(): Conn;

  /** Gives a request a connection, at once or later, or says that there is none. */
  take(exchan: Exchan): void {
    if (this.#isDestroyed) return exchan.unavailable("HEMI_BACKEND_BUSY", shutsDown);
    const conn = this.#waiting.size === 0 ? this.#leastBusy() : undefined;
    if (conn !== undefined) return conn.begin(exchan);
    this.#waiting.set(exchan, undefined);
    this.#serveWaiting();
  }

  /** A request does not want a connection any more. */
  forget(exchan: Exchan): void {
    this.#waiting.get(exchan)?.clear();
    this.#waiting.delete(exchan);
  }

  /** Takes no further requests; connections are closed when they become idle. */
  close(): void {
    this.#isClosed = true;
    for (const conn of this.#conns) conn.leave();
  }

  /** Breaks off all connections, and refuses those that wait. */
  destroy(): void {
    this.#isClosed = true;
    this.#isDestroyed = true;
    this.#refuseWaiting("HEMI_BACKEND_BUSY", shutsDown);
    for (const conn of this.#conns) conn.destroy();
  }

  // ---- what its connections ask of it ----

  /** For connections: calls back when the deadline that is set has passed. */
  makeDeadline(onExpired: () => void): Deadline {
    return this.#makeDeadline(onExpired);
  }

  /** In ms, of a clock that never goes back. */
  monotonic(): number {
    return performance.now();
  }

  /** A connection can take other requests than before. */
  changed(conn: Conn): void {
    if (this.#waiting.size > 0) this.#serveWaiting();
    // Those that do not do for who waits are kept: others would be dialled, and do no better.
    const isTooMany = this.#waiting.size === 0 && this.#idleConns() > this.spec.keepConns;
    if (conn.isIdle && (this.#isClosed || isTooMany)) conn.leave();
  }

  /** A connection is gone. */
  closed(conn: Conn, code: FailureCode, reason: string): void {
    const wasNeeded = this.#conns.delete(conn) && ![...this.#conns].some((other) => other.isDialing || other.room > 0);
    // What cannot be dialled now, or is of no use then, will not be in a moment; those who can go elsewhere should.
    if (conn.requests === 0 && wasNeeded) this.#refuseWaiting(code, reason);
    else this.#serveWaiting();
  }

  #idleConns(): number {
    let count = 0;
    for (const conn of this.#conns) if (conn.isIdle) count++;
    return count;
  }

  #leastBusy(): Conn | undefined {
    let least: Conn | undefined;
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
      if (usable < this.maxConns) this.#conns.add(this.dialConn());
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

  #limit(exchan: Exchan): void {
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
