// The front of a server: from a listening socket to connections that a codec serves. It does not know what is sent on
// them.
//
//  listener ─> gate ─> PROXY header, from trusted proxies ─> TLS handshake, with tlsMode ─> codec ─> connection
//               │ too many           │ missing, timeout           │ failed, timeout
//               v                    v                            v
//             closed               closed                       closed     each with a log line, floods in one line

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { Deadlines } from "@hemi/common";
import { addressesIn } from "../component/props/addresses.ts";
import type { Context } from "../stage/context.ts";
import { shareOf } from "../stage/workers.ts";
import type { BareConn } from "../net/bare-conn.ts";
import type { ListenerShare } from "../net/listener.ts";
import { numericAddress } from "../net/numeric-address.ts";
import { askNow, peerOf, peerOnDemand, type Endpoint, type Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Codecs, type Codec, type CodecConn } from "./codecs.ts";
import type { FrontSettings } from "./front-props.ts";
import { Gate, type GateConn } from "./gate.ts";
import { jointShare } from "./joint-share.ts";
import { ProxyHeaderReader, type ProxyHeaderReaderOptions } from "./proxy-header-reader.ts";
import { Refusals } from "./refusals.ts";
import { ServerCounts } from "./server-counts.ts";
import type { CertificateSource, SecureSite } from "./tls/certificate-source.ts";
import { Handshakes } from "./tls/handshakes.ts";
import { ticketKeyOf, type TicketKey } from "./tls/ticket-keys.ts";

/** A connection that tells when it has closed, such as a socket. */
export interface OpenConn {
  /** Calls the listener once, when the connection has closed. */
  once(event: "close", listener: () => void): unknown;
}

/** Limits the connections of each client. */
export interface ClientAdmission {
  /** Whether a client may open one more connection. False: it is closed at once. */
  mayConnect(client: Endpoint): boolean;
  /** The client has one more connection, until this one closes. */
  connected(conn: OpenConn, client: Endpoint): void;
}

/** The components of a front. */
export interface FrontOptions<Server extends object> {
  /** The context of the server. Its props contain `frontProps`. */
  readonly context: Context<FrontSettings>;
  /** The interface that connections use. */
  readonly server: Server;
  /** In the order of preference: see `Codecs`. */
  readonly codecs: readonly Codec<Server>[];
  /** The certificate source; used with `tlsMode` only. */
  readonly source: CertificateSource;
  /** Serves a connection that needs no TLS and no PROXY header. Default: all of them get sockets, for their codecs. */
  readonly openBare?: (conn: BareConn, peer: Peer) => CodecConn;
  /** Limits the connections of each client. Default: no limit. */
  readonly clients?: ClientAdmission;
  /**
   * The response to a client that speaks plain HTTP to a server with `tlsMode`. Default: none, the connection is
   * closed.
   */
  readonly plainAnswer?: () => string;
}

/**
 * Listens for a server, and gives each connection to a codec. `Server`: the interface that connections need from their
 * server. The server calls `prepare`, `open`, `changed`, `drain` and `shutdown` in its own steps of these names (`open`
 * in `start`, `changed` in `update`).
 */
export class Front<Server extends object> implements ProxyHeaderReaderOptions {
  readonly #context: Context<FrontSettings>;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #codecs: Codecs<Server>;
  readonly #handshakes: Handshakes | undefined;
  readonly #ticketKey: TicketKey | undefined;
  readonly #refused: Refusals;
  readonly #headerless: Refusals;
  readonly #clients: ClientAdmission | undefined;
  /** Of the server: its connections, its handshakes, and the requests that are refused before a webapp has them. */
  readonly counts: ServerCounts;
  readonly #shares: ListenerShare[] = [];
  readonly #openBare: FrontOptions<Server>["openBare"];
  #gate: Gate<GateConn> | undefined;

  constructor({ context, server, codecs, source, openBare, clients, plainAnswer }: FrontOptions<Server>) {
    const { props, log, stage, listeners } = context;
    const { makeDeadline } = this;
    this.#context = context;
    this.counts = new ServerCounts(context);
    this.#clients = clients;
    this.#openBare = props.tlsMode ? undefined : openBare;
    this.#codecs = new Codecs(codecs, server);
    this.#refused = new Refusals({ makeDeadline, tell: (count, latest) => this.#tellRefused(count, latest) });
    this.#headerless = new Refusals({ makeDeadline, tell: (count, latest) => this.#tellHeaderless(count, latest) });
    if (!props.tlsMode) return;
    this.#ticketKey = ticketKeyOf(listeners, stage.clock.monotonic());
    this.#handshakes = new Handshakes({
      settings: props,
      source,
      protocols: () => this.#codecs.protocols,
      ticketKey: this.#ticketKey,
      clock: stage.clock,
      log,
      makeDeadline,
      plainAnswer: plainAnswer ?? (() => undefined),
      secured: (socket, tls, handshake) => {
        this.counts.handshake(tls.isResumed);
        this.#gate?.succeed(handshake, this.#codecs.open(socket, handshake.peer, tls));
      },
      handshakeFailed: () => this.counts.handshakeFailed(),
      closed: this.closed,
    });
  }

  /** Binds and listens; connections wait until `open`. Rejects with HEMI_LISTEN. */
  async prepare(): Promise<void> {
    const { props, listeners, stage, workers } = this.#context;
    await this.#ticketKey?.shareAmong(workers, () => stage.clock.monotonic());
    for (const address of addressesIn(props.address)) {
      this.#shares.push(await listeners.share(await numericAddress(address, stage.namer), this.#context));
    }
    const openBare = this.#openBare;
    this.#gate = new Gate<GateConn>({
      share: jointShare(this.#shares),
      counts: this.counts,
      maxConns: () => shareOf(props.maxConns, workers),
      // The client of a proxy's connection is known only after its header.
      admits: (socket) => this.#isProxy(socket) || this.#clients?.mayConnect(peerOnDemand(socket)) !== false,
      openBare:
        openBare &&
        ((conn) => {
          if (this.#isProxy(conn)) return new ProxyHeaderReader(conn.toSocket(), this);
          const peer = peerOnDemand(conn);
          this.#clients?.connected(conn, peer);
          return openBare(conn, peer);
        }),
      open: (socket: Socket) => {
        if (this.#isProxy(socket)) return new ProxyHeaderReader(socket, this);
        const peer = peerOnDemand(socket);
        this.#clients?.connected(socket, peer);
        return this.#open(socket, peer);
      },
      failed: (error) => this.#context.log.error("failed at a connection", { error }),
      refused: (socket) => this.#refused.add(peerOf(socket).address),
    });
  }

  /** Starts to accept connections. */
  open(): void {
    this.#handshakes?.start();
    this.#gate?.open();
    // All workers listen on the same addresses.
    if (this.#context.workers.slot > 0) return;
    for (const address of this.listensOn) this.#context.log.info(`listens on ${address}`);
  }

  /**
   * Takes a connection that another component has accepted; see `ConnTaker`. Returns false if the socket was destroyed
   * instead: there are too many connections, or it is not open.
   */
  adopt(socket: Socket, peer: Peer, tls: TlsFacts | undefined): boolean {
    const client = peer.source ?? askNow(peer);
    if (this.#gate === undefined || socket.destroyed || this.#clients?.mayConnect(client) === false) {
      this.counts.refused();
      socket.destroy();
      return false;
    }
    return this.#gate.enter(socket, () => {
      this.#clients?.connected(socket, client);
      // Not later: the connection may pause it.
      socket.resume();
      return tls === undefined ? this.#open(socket, peer) : this.#codecs.open(socket, peer, tls);
    });
  }

  /** Call it for changes of the server's live props, and of any state that `isSpoken` of its codecs reads. */
  changed(changed: ReadonlySet<string>): void {
    this.#handshakes?.changed(changed);
    if (changed.has("idleTimeout")) for (const conn of this.conns) conn.idleTimeoutChanged?.();
  }

  /** Accepts no new connections and waits until the open ones have finished. */
  drain(): Promise<void> | undefined {
    return this.#gate?.drain();
  }

  /** Works after a partial `prepare`, too. */
  async shutdown(): Promise<void> {
    await this.#gate?.shutdown();
    await Promise.all(this.#shares.map((share) => share.release()));
    await this.#handshakes?.close();
    this.#refused.close();
    this.#headerless.close();
    this.#deadlines.close();
  }

  /** The open connections, those that no codec has yet too. */
  get conns(): Iterable<GateConn> {
    return this.#gate?.conns ?? [];
  }

  /** How many connections are open. */
  get connCount(): number {
    return this.#gate?.size ?? 0;
  }

  /** The addresses that it listens on, after `prepare`. */
  get listensOn(): readonly string[] {
    return this.#shares.map(({ address }) => address);
  }

  /** Throws HEMI_CERTIFICATE if handshakes cannot be made with the certificates of this site. */
  trySite(site: SecureSite): void {
    this.#handshakes?.try(site);
  }

  /** The props of the server. */
  get settings(): FrontSettings {
    return this.#context.props;
  }

  // ---- called by connections and by the server ----

  /** Makes a deadline that is not set yet. All deadlines of a server share one timer. */
  readonly makeDeadline = this.#deadlines.add.bind(this.#deadlines);

  /** For how long the process has stood while deadlines were set, in ms. */
  get stood(): number {
    return this.#deadlines.stood;
  }

  /** Logs something that a client did or failed to do. */
  note(peer: Peer, message: string): void {
    this.#context.log.info(`client ${nameOf(peer)}: ${message}`);
  }

  /** Logs an error that was thrown while a connection was served. `path`: of who threw it; default: the server. */
  failed(peer: Peer, error: unknown, path = this.#context.path): void {
    this.#context.log.withPath(path).error(`failed at client ${nameOf(peer)}`, { error });
  }

  /**
   * Whether a client's first bytes belong to another codec than the current one; "perhaps": more bytes are needed to
   * decide.
   */
  isOthers(bytes: Buffer): boolean | "perhaps" {
    const claimant = this.#codecs.claimantOf(bytes);
    return claimant === "perhaps" ? claimant : claimant !== undefined;
  }

  /**
   * Gives the connection to the codec that claims its first bytes. The socket is paused and still contains all its
   * bytes; `conn` has no further part in it.
   */
  handOver(conn: CodecConn, socket: Socket): void {
    const bytes: unknown = socket.read();
    if (!Buffer.isBuffer(bytes)) return void socket.destroy();
    socket.unshift(bytes);
    this.#gate?.succeed(conn, this.#codecs.openClaimed(bytes, socket, conn));
  }

  /** A connection is over. Each codec reports this for its own connections. */
  readonly closed = (conn: GateConn): void => this.#gate?.closed(conn);

  // ---- before the codec ----

  /** Called when a PROXY header has arrived. */
  greeted(socket: Socket, peer: Peer, greeting: ProxyHeaderReader): void {
    const client = peer.source ?? peer;
    if (this.#clients?.mayConnect(client) === false) {
      socket.destroy();
      return this.#gate?.closed(greeting);
    }
    this.#clients?.connected(socket, client);
    // Not later: the connection may pause it.
    socket.resume();
    this.#gate?.succeed(greeting, this.#open(socket, peer));
  }

  /** Called when a PROXY header is missing or late. */
  greetingFailed(address: string, reason: string): void {
    this.#headerless.add(`${address}: ${reason}`);
  }

  #open(socket: Socket, peer: Peer): GateConn {
    return this.#handshakes?.open(socket, peer) ?? this.#codecs.open(socket, peer, undefined);
  }

  #isProxy(socket: Socket | BareConn): boolean {
    const { proxyProtocol } = this.settings;
    return proxyProtocol.texts.length > 0 && proxyProtocol.contains(peerOf(socket).address);
  }

  #tellRefused(count: number, latest: string): void {
    const { log, props, workers } = this.#context;
    const whose = count === 1 ? `a connection of ${latest}` : `${count} connections, the last of ${latest}`;
    const most = shareOf(props.maxConns, workers);
    const what = workers.count === 1 ? "maxConns" : `this worker's part of the ${props.maxConns} of maxConns`;
    log.warn(`refused ${whose}: there are ${most} already, which is ${what}`);
  }

  #tellHeaderless(count: number, latest: string): void {
    const { log } = this.#context;
    if (count === 1) log.warn(`closed a connection of a proxy, ${latest}`);
    else log.warn(`closed ${count} connections of proxies, the last of ${latest}`);
  }
}

function nameOf({ address, port, source }: Peer): string {
  return source === undefined ? `${address} port ${port}` : `${source.address} port ${source.port}`;
}
