// The connections to servers for one user and one database: a few, which many clients use in turn.
//
//  client ──> a free connection ──> lent ──> given back: to the next client that waits, or free again
//        └──> a new one, as long as there are fewer than poolSize
//        └──> a queue, bounded, with a time limit

import type { Deadline } from "@hemi/common";
import type { DatabaseCounts, ServerTls, TcpsBackend } from "@hemi/internal";
import { errorMessage, sqlStates } from "../protocol/errors.ts";
import { idle } from "../protocol/messages.ts";
import { reset } from "./resetting.ts";
import { ServerConn } from "./server-conn.ts";
import { OwnAuth, type Credentials } from "./server-auth.ts";

/** Read at each use, because live props change them. Times in milliseconds. */
export interface PoolSettings {
  readonly poolSize: number;
  readonly maxQueued: number;
  readonly queueTimeout: number;
  readonly serverIdleTimeout: number;
  readonly serverLifetime: number;
  readonly resetQuery: string;
  readonly alwaysReset: boolean;
  readonly maxMessageSize: number;
}

/** Waits for a connection. One of the two is called, once. */
export interface PoolWaiter {
  got(conn: ServerConn): void;
  /** `error`: for the client. */
  refused(error: Buffer): void;
}

/** Where a client gets connections. */
export interface ServerSource {
  /** Gives one, at once or later. */
  acquire(waiter: PoolWaiter): void;
  /** The client waits no longer. */
  forget(waiter: PoolWaiter): void;
  /** Takes it back. `mustReset`: whatever it was used for. */
  release(conn: ServerConn, mustReset: boolean): void;
}

export interface PoolOptions {
  readonly settings: PoolSettings;
  readonly backend: () => TcpsBackend;
  readonly credentials: Credentials;
  readonly database: string;
  readonly tls: () => ServerTls;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly log: (failure: string) => void;
  readonly counts: Pick<DatabaseCounts, "servers">;
}

/** What the pool knows about a connection. */
interface Pooled {
  readonly madeAt: number;
  readonly idle: Deadline;
}

export class Pool implements ServerSource {
  readonly #options: PoolOptions;
  readonly #conns = new Map<ServerConn, Pooled>();
  /** The last one that became free is used first, so that the others may be closed. */
  readonly #free: ServerConn[] = [];
  /** In the order of arrival. */
  readonly #queue = new Map<PoolWaiter, Deadline>();
  /** Connections that are being made. */
  #coming = 0;
  #isDraining = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The number of connections, free or not. */
  get size(): number {
    return this.#conns.size;
  }

  acquire(waiter: PoolWaiter): void {
    const conn = this.#queue.size === 0 ? this.#free.pop() : undefined;
    if (conn !== undefined) {
      this.#conns.get(conn)?.idle.clear();
      return waiter.got(conn);
    }
    const { settings, makeDeadline } = this.#options;
    if (this.#queue.size >= settings.maxQueued) {
      const text = `all ${settings.poolSize} connections are in use, and ${settings.maxQueued} clients wait`;
      return waiter.refused(errorMessage("FATAL", sqlStates.tooManyConnections, text));
    }
    const deadline = makeDeadline(() => {
      this.#queue.delete(waiter);
      const text = `all connections to the server were in use for ${settings.queueTimeout} ms`;
      waiter.refused(errorMessage("FATAL", sqlStates.tooManyConnections, text));
    });
    deadline.set(settings.queueTimeout);
    this.#queue.set(waiter, deadline);
    this.#fill();
  }

  forget(waiter: PoolWaiter): void {
    this.#queue.get(waiter)?.clear();
    this.#queue.delete(waiter);
  }

  release(conn: ServerConn, mustReset: boolean): void {
    conn.lend(undefined);
    // Its last client may have read too slowly.
    conn.hold(false);
    // A request to cancel that is late must not hit the query of the next client.
    conn.whenNotCancelled(() => this.#released(conn, mustReset));
  }

  #released(conn: ServerConn, mustReset: boolean): void {
    if (conn.isOver) return;
    // In the middle of something: only the server knows of what.
    if (conn.status !== idle || conn.expected.isUncertain || this.#isTooOld(conn)) return conn.terminate();
    const { resetQuery, alwaysReset } = this.#options.settings;
    if (!mustReset && !conn.isDirty && !alwaysReset) return this.#freed(conn);
    const { idle: deadline } = this.#conns.get(conn) ?? {};
    deadline?.set(resetTimeout);
    reset(conn, resetQuery, (isClean) => {
      deadline?.clear();
      if (isClean) this.#freed(conn);
      else conn.terminate();
    });
  }

  /** No more connections are kept than are in use. */
  drain(): void {
    this.#isDraining = true;
    for (const conn of this.#free.splice(0)) conn.terminate();
  }

  close(): void {
    for (const conn of [...this.#conns.keys()]) conn.close();
  }

  #freed(conn: ServerConn): void {
    if (conn.isOver) return;
    const [next] = this.#queue;
    if (next !== undefined) {
      const [waiter] = next;
      this.forget(waiter);
      return waiter.got(conn);
    }
    if (this.#isDraining) return conn.terminate();
    this.#free.push(conn);
    this.#conns.get(conn)?.idle.set(this.#options.settings.serverIdleTimeout);
  }

  /** Makes as many connections as are waited for. */
  #fill(): void {
    const { settings, backend, credentials, database, tls, makeDeadline, now, log } = this.#options;
    while (this.#coming < this.#queue.size && this.#conns.size < settings.poolSize) {
      this.#coming++;
      const conn: ServerConn = new ServerConn({
        backend: backend(),
        user: credentials.user,
        auth: new OwnAuth(credentials),
        database,
        tls: tls(),
        settings,
        ready: () => {
          this.#coming--;
          isReady = true;
          deadline.clear();
          this.#freed(conn);
        },
        over: (_, error) => this.#over(conn, error),
        log,
      });
      let isReady = false;
      // Until it is ready; then while it is free, or cleaned.
      const deadline = makeDeadline(() => (isReady ? conn.terminate() : conn.giveUp()));
      deadline.set(settings.queueTimeout);
      this.#conns.set(conn, { madeAt: now(), idle: deadline });
      this.#options.counts.servers(1);
      conn.dial();
    }
  }

  #over(conn: ServerConn, error: Buffer | undefined): void {
    this.#conns.get(conn)?.idle.clear();
    this.#conns.delete(conn);
    this.#options.counts.servers(-1);
    const at = this.#free.indexOf(conn);
    if (at >= 0) this.#free.splice(at, 1);
    if (error !== undefined) {
      this.#coming--;
      const [next] = this.#queue;
      if (next !== undefined) {
        this.forget(next[0]);
        next[0].refused(error);
      }
    }
    // Others may wait for the place.
    if (this.#queue.size > 0) queueMicrotask(() => this.#fill());
  }

  #isTooOld(conn: ServerConn): boolean {
    const { serverLifetime } = this.#options.settings;
    const { madeAt = 0 } = this.#conns.get(conn) ?? {};
    return serverLifetime > 0 && this.#options.now() - madeAt > serverLifetime;
  }
}

/** In milliseconds. Not a prop: cleaning takes no time, unless the server hangs. */
const resetTimeout = 10_000;
