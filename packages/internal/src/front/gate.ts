// A gate: accepts connections on one address of a server, and keeps track of them.

import type { Socket } from "node:net";
import { guarded, SeatedRoster, type Seated } from "@hemi/common";
import type { BareConn } from "../net/bare-conn.ts";
import type { Acceptor, BareAcceptor } from "../net/listener.ts";
import type { GateShare } from "./joint-share.ts";

/** A connection through a gate, which keeps its place there: it is in one gate at most. */
export interface GateConn extends Seated {
  /** It is through: what it does from now on may end it. Default: it waits for its client. */
  entered?(): void;
  /** Finishes running work, accepts nothing new, then closes. */
  drain(): void;
  /** A reload has changed `idleTimeout` of its server. Default: it has none. */
  idleTimeoutChanged?(): void;
  /** Aborts at once. */
  destroy(): void;
}

/** Counts the connections of a gate. */
export interface GateCounts {
  accepted(): void;
  refused(): void;
  closed(): void;
}

/** The options of a gate. */
export interface GateOptions<Conn extends GateConn> {
  /** The server's share of a listening socket of the process, or of several. */
  readonly share: GateShare;
  /** The maximum number of concurrent connections. Further ones are closed as soon as they are accepted. */
  readonly maxConns: () => number;
  /**
   * Whether a connection within the limit may enter; otherwise it is closed as soon as it is accepted. Default: always.
   */
  readonly admits?: (socket: Socket | BareConn) => boolean;
  /** Makes a connection from a socket. It calls `gate.closed(conn)` at its end. */
  readonly open: (socket: Socket) => Conn;
  /** The same without a socket. Default: all connections have sockets. */
  readonly openBare?: ((conn: BareConn) => Conn) | undefined;
  /** Called for a connection beyond the limit. */
  readonly refused: (socket: Socket | BareConn) => void;
  /** Default: nothing is counted. */
  readonly counts?: GateCounts;
  /**
   * Called with an error that `open`, or `entered` or `drain` of a connection, has thrown. That connection is
   * destroyed; the others continue.
   */
  readonly failed: (error: unknown) => void;
}

/** Accepts connections from a listening socket, counts them, and drains them. */
export class Gate<Conn extends GateConn> {
  readonly #options: GateOptions<Conn>;
  readonly #conns = new SeatedRoster<Conn>();
  readonly #counts: GateCounts | undefined;
  #emptied: PromiseWithResolvers<void> | undefined;
  #isDraining = false;

  constructor(options: GateOptions<Conn>) {
    this.#options = options;
    this.#counts = options.counts;
  }

  /** The open connections. */
  get conns(): Iterable<Conn> {
    return this.#conns;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#conns.size;
  }

  /** Starts to accept connections, including those that wait at its listener. */
  open(): void {
    const { share, openBare, admits } = this.#options;
    const acceptBare: BareAcceptor | undefined = openBare && ((conn) => void this.enter(conn, openBare, admits));
    share.accept(this.#accept, acceptBare);
  }

  /** Accepts no new connections and waits until the open ones have finished. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#options.share.release();
    for (const conn of this.#conns) this.#drainConn(conn);
    await this.#whenEmpty();
  }

  /** Stops accepting, destroys open connections, and waits until all are closed. Calling it twice is harmless. */
  async shutdown(): Promise<void> {
    await this.#options.share.release();
    for (const conn of this.#conns) conn.destroy();
    await this.#whenEmpty();
  }

  /** `successor` takes the place of a connection that has done its part, such as a handshake. */
  succeed(conn: Conn, successor: Conn): void {
    this.#conns.delete(conn);
    this.#entered(successor);
  }

  /** Reports that a connection is over. */
  closed(conn: Conn): void {
    if (this.#conns.delete(conn)) this.#counts?.closed();
    if (this.#conns.size === 0) this.#emptied?.resolve();
  }

  /** What is thrown then concerns nobody else: others may be waiting behind it. */
  #entered(conn: Conn): void {
    this.#conns.add(conn);
    try {
      if (this.#isDraining) conn.drain();
      conn.entered?.();
    } catch (error) {
      this.#options.failed(error);
      conn.destroy();
    }
  }

  #drainConn(conn: Conn): void {
    guarded(
      () => conn.drain(),
      (error) => {
        this.#options.failed(error);
        conn.destroy();
      },
    );
  }

  #whenEmpty(): Promise<void> {
    if (this.#conns.size === 0) return Promise.resolve();
    this.#emptied ??= Promise.withResolvers<void>();
    return this.#emptied.promise;
  }

  readonly #accept: Acceptor = (socket) => {
    this.enter(socket, this.#options.open, this.#options.admits);
  };

  /**
   * Lets a connection in that may have come another way than from the listener, under the same `maxConns`; `open` makes
   * it of the socket. Returns false if the socket was destroyed instead.
   */
  enter<Entrant extends Socket | BareConn>(
    socket: Entrant,
    open: (socket: Entrant) => Conn,
    admits?: (socket: Entrant) => boolean,
  ): boolean {
    const { maxConns, refused, failed } = this.#options;
    if (this.#conns.size >= maxConns()) {
      this.#counts?.refused();
      refused(socket);
      socket.destroy();
      return false;
    }
    // It may also be found out that its client has left.
    if (admits?.(socket) === false || socket.destroyed) {
      this.#counts?.refused();
      socket.destroy();
      return false;
    }
    let conn: Conn;
    try {
      conn = open(socket);
    } catch (error) {
      failed(error);
      socket.destroy();
      return false;
    }
    this.#counts?.accepted();
    this.#entered(conn);
    return true;
  }
}
