// A gate: a server's open door on one address, and the connections that came in through it.

import type { Socket } from "node:net";
import { guarded } from "@hemi/common";
import type { Acceptor, ListenerShare } from "../net/listener.ts";

/** A connection through a gate. */
export interface GateConn {
  /** Finish what runs, take nothing new, then close. */
  drain(): void;
  /** Break off at once. */
  destroy(): void;
}

/** What a gate is opened with. */
export interface GateOptions<Conn extends GateConn> {
  /** The server's share of a listening socket of the process. */
  readonly share: ListenerShare;
  /** More than this many at once are refused: closed as soon as they are accepted. */
  readonly maxConns: () => number;
  /** Whether one that is not one too many may come in; else it is closed as soon as it is accepted. Default: all may. */
  readonly admits?: (socket: Socket) => boolean;
  /** Makes a connection of a socket. It calls `gate.closed(conn)` when it is over. */
  readonly open: (socket: Socket) => Conn;
  /** Called for a connection that is one too many. */
  readonly refused: (socket: Socket) => void;
  /** Is told what `open`, or a connection that is drained, has thrown. That connection is broken off; the others go on. */
  readonly failed: (error: unknown) => void;
}

/** A server's open door on a listening socket: it counts connections, and drains them. */
export class Gate<Conn extends GateConn> {
  readonly #options: GateOptions<Conn>;
  readonly #conns = new Set<Conn>();
  #emptied: PromiseWithResolvers<void> | undefined;
  #isDraining = false;

  constructor(options: GateOptions<Conn>) {
    this.#options = options;
  }

  /** Begins to take connections, those that wait at its listener first. */
  open(): void {
    this.#options.share.accept(this.#accept);
  }

  /** Takes no new connections and waits until those that are open have finished. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#options.share.release();
    for (const conn of this.#conns) this.#drainConn(conn);
    await this.#whenEmpty();
  }

  /** Closes the door, breaks off what is still open, and waits until all of it has closed. Twice is harmless. */
  async shutdown(): Promise<void> {
    await this.#options.share.release();
    for (const conn of this.#conns) conn.destroy();
    await this.#whenEmpty();
  }

  /** `successor` takes the place of a connection that has done its part, such as a handshake. */
  succeed(conn: Conn, successor: Conn): void {
    this.#conns.delete(conn);
    this.#conns.add(successor);
    if (this.#isDraining) this.#drainConn(successor);
  }

  /** Tells the gate that a connection is over. */
  closed(conn: Conn): void {
    this.#conns.delete(conn);
    if (this.#conns.size === 0) this.#emptied?.resolve();
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
    const { maxConns, admits, open, refused, failed } = this.#options;
    if (this.#conns.size >= maxConns()) {
      refused(socket);
      socket.destroy();
      return;
    }
    if (admits?.(socket) === false) return void socket.destroy();
    let conn: Conn;
    try {
      conn = open(socket);
    } catch (error) {
      failed(error);
      return void socket.destroy();
    }
    this.#conns.add(conn);
    if (this.#isDraining) this.#drainConn(conn);
  };
}
