// The parts that servers for connections have in common: listening, limits, draining. A server says what it does with
// one connection.

import type { Socket } from "node:net";
import { Deadlines, type Deadline, SeatedRoster } from "@hemi/common";
import {
  type CheckContext,
  claimAddress,
  type ConnTaker,
  type Context,
  Gate,
  type GateConn,
  type ListenerShare,
  numericAddress,
  type Peer,
  peerOf,
  prop,
  type PropsOf,
  Refusals,
  type ServerPart,
} from "@hemi/internal";

/** Spread this into the props of a server that is a `ConnServer`. */
export const connServerProps = {
  /** The address to listen on: `:port` (all addresses), `host:port`, `[v6]:port` or `/path.sock`. */
  address: prop.address({ required: true }),
  /** Maximum number of concurrent connections. One more is closed as soon as it is accepted. */
  maxConns: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /** Closes a connection without a byte in either direction for this time. */
  idleTimeout: prop.duration({ default: "5m", min: "1ms", reload: "live" }),
};

/** The values of these props. */
export type ConnServerSettings = PropsOf<typeof connServerProps>;

/** A connection, as the function that serves it gets it. */
export interface ServedSocket {
  /** Paused. It supports half-close, and its errors are handled: what is left to do is told by `close`. */
  readonly socket: Socket;
  /** The client: behind a trusted proxy, the one that its header has named. */
  readonly client: { readonly address: string; readonly port: number };
  /** Aborted when the connection is closed, and when the server drains. */
  readonly draining: AbortSignal;
  /** Called when a reload has changed `idleTimeout`, as long as the connection is open. Default: nothing happens. */
  idleTimeoutChanged?: () => void;
}

/** One that its server knows. */
interface SeatedSocket extends ServedSocket {
  place: number;
}

/**
 * A server whose connections are served by a function. If that throws, or its promise is rejected, the connection is
 * closed and the error is logged. Connections may also come from `handOver` of a tcpsRouter, which terminates TLS.
 */
export class ConnServer implements ServerPart, ConnTaker {
  readonly #context: Context<ConnServerSettings>;
  readonly #serve: (conn: ServedSocket) => void | Promise<void>;
  readonly #deadlines: Deadlines;
  readonly #refusals: Refusals;
  readonly #open = new SeatedRoster<SeatedSocket>();
  #share: ListenerShare | undefined;
  #gate: Gate<GateConn> | undefined;

  constructor(context: Context<ConnServerSettings>, serve: (conn: ServedSocket) => void | Promise<void>) {
    const { props, log } = context;
    this.#context = context;
    this.#serve = serve;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#refusals = new Refusals({
      makeDeadline: this.makeDeadline,
      tell: (count, latest) =>
        log.warn(`refused ${count} connections, the last of ${latest}: there are ${props.maxConns}, which is maxConns`),
    });
  }

  /** Call it in `check` of the definition. */
  static check(this: void, context: Pick<CheckContext<ConnServerSettings>, "props" | "claim">): void {
    claimAddress(context);
  }

  /** Binds and listens; connections wait until `start`. */
  async prepare(): Promise<void> {
    const { props, stage, listeners, log } = this.#context;
    this.#share = await listeners.share(await numericAddress(props.address, stage.namer), this.#context);
    this.#gate = new Gate<GateConn>({
      share: this.#share,
      maxConns: () => props.maxConns,
      open: (socket) => this.#take(socket, peerOf(socket)),
      refused: (socket) => this.#refusals.add(peerOf(socket).address),
      failed: (error) => log.error("failed at a connection", { error }),
    });
  }

  /** Begins to accept connections. */
  start(): void {
    this.#gate?.open();
    for (const address of this.listensOn) this.#context.log.info(`listens on ${address}`);
  }

  /** Applies changed props to the connections that are open. */
  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const conn of this.#open) conn.idleTimeoutChanged?.();
  }

  /** Accepts nothing more, and waits for the open connections. */
  drain(): Promise<void> | undefined {
    return this.#gate?.drain();
  }

  /** Closes all connections. */
  async shutdown(): Promise<void> {
    await this.#gate?.shutdown();
    await this.#share?.release();
    this.#refusals.close();
    this.#deadlines.close();
  }

  /** The addresses that it listens on, after `prepare`. */
  get listensOn(): readonly string[] {
    return this.#share === undefined ? [] : [this.#share.address];
  }

  /** See `ConnTaker`. */
  takeConn(socket: Socket, peer: Peer): boolean {
    return this.#gate?.enter(socket, () => this.#take(socket, peer)) === true;
  }

  /** Makes a deadline that is not set. All of a server share one timer. */
  readonly makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);

  /** For `splice`. */
  get deadlines(): Deadlines {
    return this.#deadlines;
  }

  #take(socket: Socket, peer: Peer): GateConn {
    const abort = new AbortController();
    const conn: GateConn = { drain: () => abort.abort(), destroy: () => void socket.destroy() };
    socket.pause();
    socket.on("error", () => undefined);
    const { address, port } = peer.source ?? peer;
    const served: SeatedSocket = { place: -1, socket, client: { address, port }, draining: abort.signal };
    this.#open.add(served);
    socket.once("close", () => {
      this.#open.delete(served);
      abort.abort();
      this.#gate?.closed(conn);
    });
    void this.#run(served);
    return conn;
  }

  async #run(conn: ServedSocket): Promise<void> {
    try {
      // Not before the gate knows it.
      await Promise.resolve();
      await this.#serve(conn);
    } catch (error) {
      if (!conn.socket.destroyed) {
        this.#context.log.error(`failed at client ${conn.client.address} port ${conn.client.port}`, { error });
      }
      conn.socket.destroy();
    }
  }
}
