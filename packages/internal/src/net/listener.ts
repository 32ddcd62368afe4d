// The listening sockets of the process. They are independent of stages and generations: a successor joins the existing
// listener and takes over its connections, so no client is refused.

import { performance } from "node:perf_hooks";
import * as net from "node:net";
import { sharing } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { acceptBare, type BareConn } from "./bare-conn.ts";
import { DatagramSockets } from "./datagram-sockets.ts";
import {
  addressKey,
  cannotListen,
  OwnSockets,
  type BoundListener,
  type ListenAddress,
  type SocketSource,
} from "./bound-socket.ts";
import { limitReachedBy } from "./last-descriptor.ts";
import { inheritNoDelay } from "./no-delay.ts";

export type { ListenAddress } from "./bound-socket.ts";

/** Receives a connection that a client has opened. */
export type Acceptor = (socket: net.Socket) => void;

/** The same for one that has no socket. */
export type BareAcceptor = (conn: BareConn) => void;

/**
 * The owner of a share. Two owners in one stage would take each other's connections. A component's context is an owner.
 */
export interface ListenerOwner {
  /** The same object for all owners in one stage. */
  readonly stage: object;
  /** The component's path, for messages. */
  readonly path: string;
  /** Whether a reload drops the component. If so, another one of the stage may join its listener. Default: false. */
  readonly isLeaving?: boolean;
  /** For what concerns the listener. Default: nobody hears of it. */
  readonly log?: ErrorLog;
}

/** A share of a listener, for one gate. The listening socket closes when the last share is released. */
export interface ListenerShare {
  /** The address, with the assigned port if port 0 was requested; a path for a UNIX socket. */
  readonly address: string;
  /** The port, 0 for a UNIX socket. */
  readonly port: number;
  /**
   * Directs connections to this acceptor from now on. Has no effect after `release`. `bareAcceptor` gets those that
   * need no socket, where the runtime can do without. Default: all have sockets.
   */
  accept(acceptor: Acceptor, bareAcceptor?: BareAcceptor): void;
  /** Directs connections back to the previous acceptor, if its share still accepts. Calling it twice is harmless. */
  release(): Promise<void>;
}

/** All listening sockets, by address. There is one for the process; a test may have its own. */
export class Listeners {
  /** The sockets for datagrams. */
  readonly datagrams = new DatagramSockets();
  readonly #source: SocketSource;
  readonly #listeners = new Map<string, Listener>();
  /** Those too that share no address with others. */
  readonly #open = new Set<Listener>();
  readonly #stops = new Set<() => void>();
  /** Sockets that are being bound, by address. */
  readonly #binding = new Map<string, Promise<Listener>>();

  /** Default source: the process binds its sockets itself. */
  constructor(source: SocketSource = new OwnSockets()) {
    this.#source = source;
  }

  /**
   * Binds the address and listens, or joins the existing listener. Connections wait until a share accepts. The socket
   * file of a dead process is removed. Rejects with HEMI_LISTEN, which names address and reason.
   */
  async share(address: ListenAddress, owner: ListenerOwner): Promise<ListenerShare> {
    // Whoever shares the address later uses the same socket.
    const listener = await sharing(() => this.#listenerFor(address, owner.path));
    const share = listener.join(owner);
    try {
      await sharing(() => listener.listening());
    } catch (error) {
      await share.release();
      throw error;
    }
    return share;
  }

  /**
   * For those who take connections without a listening socket, from datagrams: calls `stop` when `stop()` is called
   * here. The returned function forgets it.
   */
  onStop(stop: () => void): () => void {
    this.#stops.add(stop);
    return () => void this.#stops.delete(stop);
  }

  /**
   * Stops listening at once on all sockets that exist, before their shares are released. Connections that were accepted
   * continue; those that wait in the queue of the kernel are for another process that has the same socket.
   */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.all([...this.#open].map((listener) => listener.stop()));
  }

  async #listenerFor(address: ListenAddress, owner: string): Promise<Listener> {
    const key = addressKey(address);
    // Port 0 requests a separate port.
    if (!("path" in address) && address.port === 0) return await this.#bind(address, key, owner);
    const listener = this.#listeners.get(key);
    if (listener !== undefined) return listener;
    let binding = this.#binding.get(key);
    if (binding === undefined) {
      binding = this.#bind(address, key, owner).finally(() => this.#binding.delete(key));
      this.#binding.set(key, binding);
    }
    return await binding;
  }

  async #bind(address: ListenAddress, key: string, owner: string): Promise<Listener> {
    const taker = (): string | undefined => this.#takerOf(address, key);
    const bound = await this.#source.bind(address, taker, owner);
    const closed = (): void => {
      this.#listeners.delete(key);
      this.#open.delete(listener);
    };
    const listener: Listener = new Listener(bound, closed, taker);
    this.#open.add(listener);
    if ("path" in address || address.port !== 0) this.#listeners.set(key, listener);
    return listener;
  }

  /** Our listener that has the port already, on an overlapping address: `:8080` and `127.0.0.1:8080` overlap. */
  #takerOf(address: ListenAddress, key: string): string | undefined {
    if ("path" in address || address.port === 0) return undefined;
    for (const [otherKey, listener] of this.#listeners) {
      if (otherKey !== key && listener.port === address.port) return listener.title;
    }
    return undefined;
  }
}

interface Accepting {
  readonly share: ListenerShare;
  readonly acceptor: Acceptor;
  readonly bareAcceptor: BareAcceptor | undefined;
}

class Listener {
  readonly #bound: BoundListener;
  readonly #servers: readonly net.Server[];
  readonly #closed: () => void;
  readonly #taker: () => string | undefined;
  readonly #shares = new Map<ListenerShare, ListenerOwner>();
  readonly address: string;
  readonly port: number;
  /** The accepting shares. The last one gets the connections. When it is released, the previous one gets them again. */
  readonly #accepting: Accepting[] = [];
  /** Connections that arrived while no gate was open. The next gate takes them. */
  readonly #waiting = new Set<net.Socket>();
  #listening: Promise<void> | undefined;
  /** Its servers are about to listen. */
  #isBeginning = false;
  #hasStopped = false;
  /** Of further connections, so many may have stood in the queue of the kernel before they could inherit anything. */
  #withoutInheritance = Infinity;
  /** When the log was told last that there are no more descriptors. */
  #toldAt = -Infinity;

  /** `taker` names the listener of this process that has the port already. */
  constructor(bound: BoundListener, closed: () => void, taker: () => string | undefined) {
    this.#taker = taker;
    this.#bound = bound;
    this.#closed = closed;
    this.address = bound.address;
    this.port = bound.port;
    const take = (socket: net.Socket): void => this.#take(socket);
    this.#servers = Array.from({ length: bound.sockets }, () => net.createServer({ allowHalfOpen: true }, take));
  }

  /** For messages. */
  get title(): string {
    const [owner] = this.#shares.values();
    return `${owner?.path ?? "another server"} listens on ${this.address}`;
  }

  join(owner: ListenerOwner): ListenerShare {
    for (const other of this.#shares.values()) {
      if (other.stage !== owner.stage || other.isLeaving === true) continue;
      throw new HemiError(
        "HEMI_LISTEN",
        `${owner.path} cannot listen on ${this.address}: ${other.path} of the same stage does`,
      );
    }
    const share: ListenerShare = {
      address: this.address,
      port: this.port,
      accept: (acceptor, bareAcceptor) => {
        if (!this.#shares.has(share)) return;
        this.#accepting.push({
          share,
          acceptor,
          bareAcceptor:
            bareAcceptor &&
            ((conn) => {
              this.#look(conn);
              bareAcceptor(conn);
            }),
        });
        for (const socket of this.#waiting) {
          this.#waiting.delete(socket.off("error", forget));
          if (!socket.destroyed) acceptor(socket);
        }
      },
      release: () => this.#release(share),
    };
    this.#shares.set(share, owner);
    return share;
  }

  #take(socket: net.Socket): void {
    this.#look(socket);
    const accepting = this.#accepting.at(-1);
    if (accepting !== undefined) accepting.acceptor(socket);
    else if (this.#waiting.size < maxWaiting) this.#waiting.add(socket.on("error", forget));
    else socket.destroy();
  }

  /** At what has been accepted. */
  #look(conn: net.Socket | BareConn): void {
    if (this.#withoutInheritance > 0) {
      this.#withoutInheritance--;
      conn.setNoDelay();
    }
    const limit = limitReachedBy(conn);
    if (limit !== undefined) this.#tellOfLimit(limit, this.#accepting.at(-1)?.share);
  }

  #tellOfLimit(limit: number, share: ListenerShare | undefined): void {
    if (share === undefined || performance.now() - this.#toldAt < tellEvery) return;
    this.#toldAt = performance.now();
    const message = "all descriptors of the process are in use, and further connections are closed: raise its limit";
    const details = { limit, address: this.address, by: "ulimit -n, LimitNOFILE=" };
    this.#shares.get(share)?.log?.error(message, details);
  }

  /** Settles when all sockets listen. Rejects with HEMI_LISTEN if the address is in use. */
  listening(): Promise<void> {
    return (this.#listening ??= this.#listenAll());
  }

  async #listenAll(): Promise<void> {
    this.#isBeginning = true;
    try {
      await Promise.all(this.#servers.map((server, index) => this.#listen(server, index)));
    } finally {
      this.#isBeginning = false;
    }
  }

  #listen(server: net.Server, index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(cannotListen(this.address, error, this.#taker()));
      server.once("error", failed);
      server.once("listening", () => {
        server.off("error", failed);
        if (inheritNoDelay(server)) this.#withoutInheritance = this.#servers.length * maxQueue;
        acceptBare(server, () => this.#accepting.at(-1)?.bareAcceptor);
        // The runtime retries a failed accept, for example without free descriptors.
        server.on("error", forget);
        resolve();
      });
      this.#bound.listen(server, index);
    });
  }

  async #release(share: ListenerShare): Promise<void> {
    if (!this.#shares.delete(share)) return;
    const index = this.#accepting.findIndex((accepting) => accepting.share === share);
    if (index >= 0) this.#accepting.splice(index, 1);
    if (this.#shares.size > 0) return;
    this.#closed();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
    await this.stop();
  }

  /** Calling it twice is harmless. */
  async stop(): Promise<void> {
    // Otherwise without a wait: whoever shares the address next binds it anew.
    if (this.#isBeginning) await this.#listening?.catch(forget);
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    // Accepted connections continue: close() stops listening at once, and calls back only when they have ended.
    for (const server of this.#servers) if (server.listening) server.close();
    this.#bound.close();
  }
}

function forget(): undefined {}

/** How often the log is told that there are no more descriptors, in milliseconds. */
const tellEvery = 10_000;

/** The length of a queue of the kernel: the most that Linux grants, unless it is told otherwise. */
const maxQueue = 4096;

/** The maximum number of connections that wait for the next gate. */
const maxWaiting = 1024;
