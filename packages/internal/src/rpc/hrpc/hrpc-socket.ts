// A session of hrpc on a socket, from either end: reading, writing, and all that is waited for.
//
//   begin ── settings of the peer ──> open ──┬─ no call for idleTimeout ──────────────────> GOAWAY, closed
//     │ beginTimeout                         ├─ silent for pingInterval: PING; pingTimeout ─> GOAWAY, closed
//     v                                      └─ takes nothing for writeTimeout ─────────────> destroyed
//   closed

import type { OnReadOpts, Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import { goAwayCodes, type Flushable, type Session, type SessionCarrier } from "@hemi/common/rpc";
import { clientGone } from "../../http/exchan-error.ts";
import { flushAtEndOfTurn } from "../../net/end-of-turn.ts";
import { Link, type LinkUser } from "../../net/link.ts";
import { Output } from "../../net/output.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";

/** How long is waited for what, in ms. Read when used: live. */
export interface HrpcTimeouts {
  /** Until the peer's settings have come. */
  readonly beginTimeout: number;
  /** Without a call. */
  readonly idleTimeout: number;
  /** Without the peer taking anything of what is sent, and until it closes after we have. */
  readonly writeTimeout: number;
  /** Silence of the peer while calls run, until it is asked for a sign of life; 0: it never is. */
  readonly pingInterval: number;
  /** Until it has given one. */
  readonly pingTimeout: number;
}

export interface HrpcSocketOptions {
  /** Returns the socket: an accepted one, or one that it dials with this option. */
  readonly open: (onread: OnReadOpts) => Socket;
  readonly tls?: TlsFacts | undefined;
  readonly timeouts: HrpcTimeouts;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Makes the session, whose `changed` calls `settle`. */
  readonly makeSession: (carrier: HrpcSocket) => Session;
  /** The socket is closed, and the session with it. Called once. */
  readonly closed: () => void;
  /** A mistake of ours has ended the connection. */
  readonly failed: (error: unknown) => void;
}

export class HrpcSocket implements SessionCarrier {
  readonly session: Session;
  readonly #options: HrpcSocketOptions;
  readonly #link: Link;
  readonly #output: Output;
  readonly #deadline: Deadline;
  readonly #gone = Promise.withResolvers<void>();
  /** The peer was asked for a sign of life. */
  #isPinged = false;
  /** No call is open, and the time of that is limited. */
  #isIdle = false;
  /** Our side is shut. */
  #isEnding = false;
  /** What waited to be sent when the wait for that began, in bytes; `undefined`: nothing is waited for. */
  #unsent: number | undefined;

  constructor(options: HrpcSocketOptions) {
    this.#options = options;
    this.#link = new Link(options.open, this.#linkUser, options.tls);
    this.#output = new Output(this.#link.socket, clientGone, options.tls?.maxWrite);
    this.#deadline = options.makeDeadline(() => this.#expired());
    this.session = options.makeSession(this);
    this.settle();
  }

  get socket(): Socket {
    return this.#link.socket;
  }

  destroy(): void {
    this.#link.destroy();
  }

  /** What is waited for has changed. `isProgress`: for a peer without calls, the time begins anew. */
  settle(isProgress = true): void {
    const { timeouts } = this.#options;
    const wasIdle = this.#isIdle;
    this.#isIdle = false;
    if (this.#isEnding) return this.#deadline.set(timeouts.writeTimeout);
    if (this.#output.isBlocked) {
      // Set once: what the peer sends is no progress of what it is to read.
      if (this.#unsent !== undefined) return;
      this.#unsent = this.socket.writableLength;
      return this.#deadline.set(timeouts.writeTimeout);
    }
    this.#unsent = undefined;
    if (!this.session.isEstablished) {
      // Set once: bytes that are no settings are no progress.
      if (!this.#deadline.isSet) this.#deadline.set(timeouts.beginTimeout);
    } else if (this.session.streamCount === 0) {
      this.#isIdle = true;
      // A peer that only sends PING is idle, too.
      if (isProgress || !wasIdle) this.#deadline.set(timeouts.idleTimeout);
    } else if (this.#isPinged) this.#deadline.set(timeouts.pingTimeout);
    else if (timeouts.pingInterval === 0) this.#deadline.clear();
    else this.#deadline.set(timeouts.pingInterval);
  }

  /** It holds from now on for a peer that is idle already. */
  idleTimeoutChanged(): void {
    if (this.#isIdle) this.#deadline.set(this.#options.timeouts.idleTimeout);
  }

  // ---- called by the session ----

  get isBlocked(): boolean {
    return this.#output.isBlocked;
  }

  flushSoon(output: Flushable): void {
    flushAtEndOfTurn(output);
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#output.writeLent("", bytes, "", written);
    // Messages wait while it is blocked. What goes beyond that are answers to a flood of small frames.
    if (this.socket.writableLength > maxUnsent) this.destroy();
  }

  drained(): Promise<void> {
    if (this.socket.destroyed) return this.#gone.promise;
    if (!this.#output.isAwaited) this.settle();
    return this.#output.drained().catch(() => this.#gone.promise);
  }

  /** Our side is shut; the peer shuts its own, or is cut off. */
  close(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#output.flush();
    this.#link.end();
    if (this.#link.hasEnded) this.destroy();
    else this.settle();
  }

  // ---- called by the link ----

  readonly #linkUser: LinkUser = {
    received: (bytes) => {
      this.#isPinged = false;
      this.session.receive(bytes);
      if (!this.#isEnding) this.settle(false);
    },
    ended: () => {
      this.session.broken("the peer has closed the connection");
      if (this.#isEnding) this.destroy();
      else this.close();
    },
    drained: () => {
      this.#output.unblocked();
      this.settle(false);
    },
    closed: () => {
      this.#deadline.clear();
      const reason = this.#link.error?.message;
      this.session.broken(reason === undefined ? "the connection is broken" : `the connection is broken: ${reason}`);
      this.#output.closed();
      this.#gone.resolve();
      this.#options.closed();
    },
    threw: (error) => {
      this.#options.failed(error);
      this.session.broken("it was ended by a mistake of this program");
    },
  };

  #expired(): void {
    const { session } = this;
    if (this.#isEnding) return this.destroy();
    if (this.#output.isBlocked) {
      if (this.socket.writableLength >= (this.#unsent ?? 0)) return this.destroy();
      this.#unsent = undefined;
      return this.settle();
    }
    if (!session.isEstablished) return session.close(goAwayCodes.timeout, "no settings came in time");
    if (session.streamCount === 0) return session.drain();
    if (this.#isPinged) return session.close(goAwayCodes.timeout, "no sign of life came in time");
    this.#isPinged = true;
    session.ping(ignore);
    this.settle();
  }
}

/** In bytes. Not a prop: it bounds what a peer that reads nothing can make us keep, beyond the messages. */
const maxUnsent = 4 * 1024 * 1024;

function ignore(): void {}
