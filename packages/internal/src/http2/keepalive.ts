// Asks a silent peer for a sign of life. What is heard of it meanwhile is a store for each reading, and no deadline is
// moved: a peer is asked after one to two intervals of silence.

import type { Deadline } from "@hemi/common";

/** What it needs of the server. Durations in ms, read when used: live. */
export interface KeepaliveServer {
  readonly settings: { readonly http2PingInterval: number; readonly http2PingTimeout: number };
  makeDeadline(onExpired: () => void): Deadline;
}

export interface KeepaliveEvents {
  /** The peer was silent: asks it, or ends this, if nothing is wanted of it. */
  readonly ping: () => void;
  /** It was asked, and gave no sign of life. */
  readonly isDead: () => void;
}

export class Keepalive {
  readonly #server: KeepaliveServer;
  readonly #events: KeepaliveEvents;
  readonly #deadline: Deadline;
  #isAsked = false;
  #isOver = false;
  /** Set by whoever hears of the peer, or sees that it takes what it is sent. */
  isHeard = false;

  constructor(server: KeepaliveServer, events: KeepaliveEvents) {
    this.#server = server;
    this.#events = events;
    this.#deadline = server.makeDeadline(() => this.#expired());
    this.#deadline.set(server.settings.http2PingInterval);
  }

  end(): void {
    this.#isOver = true;
    this.#deadline.clear();
  }

  #expired(): void {
    const { settings } = this.#server;
    const wasHeard = this.isHeard;
    this.isHeard = false;
    if (!wasHeard && this.#isAsked) return this.#events.isDead();
    this.#isAsked = !wasHeard;
    if (!wasHeard) this.#events.ping();
    if (!this.#isOver) this.#deadline.set(wasHeard ? settings.http2PingInterval : settings.http2PingTimeout);
  }
}
