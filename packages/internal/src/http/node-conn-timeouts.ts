// How long a connection to a node is waited for that carries many requests at once, in each part of its life:
//
//   dialing ── dialTimeout ──> given up
//   with streams ── nothing read for pingInterval ──> PING ── pingTimeout ──> given up
//         ^                                             └ anything is read ──> with streams, idle
//   idle ── aliveTimeout ──> leaves
//   closing ── writeTimeout ──> destroyed

import type { Deadline } from "@hemi/common";

/** All in ms. */
export interface NodeConnTimes {
  readonly dialTimeout: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly aliveTimeout: number;
  readonly writeTimeout: number;
}

/** The connection that is waited for. */
export interface WaitedForConn {
  /** It is not known yet what it can take. */
  readonly isDialing: boolean;
  /** There is no connection yet that a node could be heard by. */
  readonly isConnecting: boolean;
  /** Our side is shut. */
  readonly isClosing: boolean;
  /** How many exchans are under way. */
  readonly streamCount: number;
  /** Asks the node for a sign of life. */
  sendPing(): void;
  /** Something has not come in time: the connection is of no use any more. */
  timedOut(reason: string): void;
  /** It has been idle for long enough. */
  leave(): void;
  /** The node does not take the rest of what it is sent. */
  destroy(): void;
}

/** The connection that has them. */
export interface NodeConnTimeoutsOwner {
  /** Looked at whenever they are used: live. */
  readonly settings: NodeConnTimes;
  /** Calls back when the deadline that is set has passed. */
  makeDeadline(onExpired: () => void): Deadline;
  /** Monotonic, in ms. */
  monotonic(): number;
}

/** The timeouts of a connection to a node that carries several exchans. */
export class NodeConnTimeouts {
  readonly #conn: WaitedForConn;
  readonly #owner: NodeConnTimeoutsOwner;
  readonly #deadline: Deadline;
  #lastReadAt = 0;
  /** A PING is on its way. */
  #isPinged = false;

  /** Waits until the connection stands. */
  constructor(conn: WaitedForConn, owner: NodeConnTimeoutsOwner) {
    this.#conn = conn;
    this.#owner = owner;
    this.#deadline = owner.makeDeadline(() => this.#expired());
    this.#deadline.set(owner.settings.dialTimeout);
  }

  /** Something has been read, which answers a PING, whatever it is. */
  hasRead(): void {
    this.#lastReadAt = this.#owner.monotonic();
    if (!this.#isPinged) return;
    this.#isPinged = false;
    if (!this.#conn.isDialing) this.settle();
  }

  /** The connection stands, or the first stream has begun, or the last one has ended. */
  settle(): void {
    // What it has for that goes on.
    if (this.#isPinged) return;
    const { aliveTimeout, pingInterval } = this.#owner.settings;
    if (this.#conn.streamCount === 0) this.#deadline.set(aliveTimeout);
    else if (pingInterval === 0) this.#deadline.clear();
    // It may have been silent for long, and be gone.
    else this.#deadline.set(this.#lastReadAt + pingInterval - this.#owner.monotonic());
  }

  /** Our side is shut: the node may take the rest of what it is sent. */
  closes(): void {
    this.#deadline.set(this.#owner.settings.writeTimeout);
  }

  /** No more waiting. */
  end(): void {
    this.#deadline.clear();
  }

  #expired(): void {
    const conn = this.#conn;
    const { dialTimeout, pingInterval, pingTimeout } = this.#owner.settings;
    if (conn.isDialing) {
      const what = conn.isConnecting ? "it could not be connected to" : "it did not send its SETTINGS";
      conn.timedOut(`${what} within ${dialTimeout} ms`);
    } else if (this.#isPinged) conn.timedOut(`it did not answer a PING within ${pingTimeout} ms`);
    else if (conn.isClosing) conn.destroy();
    else if (conn.streamCount === 0) conn.leave();
    else if (this.#owner.monotonic() - this.#lastReadAt < pingInterval) this.settle();
    else {
      this.#isPinged = true;
      conn.sendPing();
      this.#deadline.set(pingTimeout);
    }
  }
}
