// The front of http3Server: from datagrams to connections that HTTP/3 is spoken on. It is to QUIC what `Front` of
// @hemi/internal is to TCP.
//
//  shares of UDP sockets ─> QuicEndpoint ─> handshake, with the certificate of the server name ─> Http3Conn
//                              │ too many        │ failed, timeout
//                              v                 v
//                           dropped           closed               each with a log line, floods in one line

import { isIPv6 } from "node:net";
import { Deadlines, type Deadline } from "@hemi/common";
import {
  addressesIn,
  formatAddress,
  numericAddress,
  onlyWorker,
  Refusals,
  ServerCounts,
  shareOf,
  ticketKeyOf,
  type CertificateSource,
  type ClientAdmission,
  type Context,
  type Endpoint,
  type GateConn,
  type Peer,
  type SecureSite,
  type TicketKey,
  type WebFront,
} from "@hemi/internal";
import type { Http3CodecServer } from "./http3/codec-server.ts";
import { errorCode } from "./http3/errors.ts";
import { Http3Conn } from "./http3/server-conn.ts";
import type { Http3ServerSettings } from "./http3-props.ts";
import type { QuicHello } from "./initial/client-initial.ts";
import type { AcceptedConn } from "./quic/accepted-conn.ts";
import { ConnIds } from "./quic/conn-ids.ts";
import type { QuicConnUser } from "./quic/conn.ts";
import { QuicEndpoint, type QuicAcceptor } from "./quic/endpoint.ts";
import { nativeQuic, type NativeQuic } from "./quic/native.ts";
import { RetryTokens } from "./quic/retry-tokens.ts";
import { SiteConfigs, type SiteConfig, type TransportLimits } from "./quic/site-configs.ts";
import { QuicTlsFacts } from "./quic/tls-facts.ts";
import { WorkerRelay, type WorkerRelayOptions } from "./quic/worker-relay.ts";

export interface QuicFrontOptions {
  readonly context: Context<Http3ServerSettings, undefined>;
  readonly server: Http3CodecServer;
  readonly source: CertificateSource;
  readonly clients: ClientAdmission;
}

/** A connection from its first datagram on. */
class FrontConn {
  /** Until its handshake is complete. */
  deadline: Deadline | undefined;
  http3: Http3Conn | undefined;
  #closed: (() => void) | undefined;

  constructor(deadline: Deadline) {
    this.deadline = deadline;
  }

  /** As of an EventEmitter, for the one who counts connections that are open. */
  once(_event: "close", listener: () => void): void {
    this.#closed = listener;
  }

  closed(): void {
    this.deadline?.clear();
    this.#closed?.();
  }
}

export class QuicFront implements WebFront, QuicAcceptor {
  readonly counts: ServerCounts;
  readonly #options: QuicFrontOptions;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#options.context.log.error("failed when a deadline expired", { error }),
  });
  readonly #ticketKey: TicketKey;
  readonly #configs: SiteConfigs;
  readonly #endpoints: QuicEndpoint[] = [];
  readonly #conns = new Map<AcceptedConn, FrontConn>();
  readonly #refused: Refusals;
  readonly #failures: Refusals;
  readonly #upkeep: Deadline;
  #upkeepDone: Promise<void> = Promise.resolve();
  #tokens: RetryTokens | undefined;
  #handshakes = 0;
  #forgetStop: (() => void) | undefined;
  #emptied: PromiseWithResolvers<void> | undefined;
  ids = new ConnIds();
  relay: WorkerRelay | undefined;
  isOpen = false;

  constructor(options: QuicFrontOptions) {
    const { context } = options;
    const { makeDeadline } = this;
    this.#options = options;
    this.counts = new ServerCounts(context);
    this.#refused = new Refusals({ makeDeadline, tell: (count, latest) => this.#tellRefused(count, latest) });
    this.#failures = new Refusals({ makeDeadline, tell: (count, latest) => this.#tellFailed(count, latest) });
    this.#ticketKey = ticketKeyOf(context.listeners, context.stage.clock.monotonic());
    const limits = (): TransportLimits => {
      const { idleTimeout, http3MaxStreams, http3StreamWindow, http3ConnWindow, earlyData } = context.props;
      const { webTransportMaxSessions, webTransportMaxStreams, webTransportMaxDatagrams } = context.props;
      const hasSessions = webTransportMaxSessions > 0;
      return {
        idleTimeout: idleTimeout + graceOfIdle,
        maxStreams: http3MaxStreams,
        streamWindow: http3StreamWindow,
        connWindow: http3ConnWindow,
        earlyData,
        moreUniStreams: hasSessions ? webTransportMaxStreams : 0,
        maxDatagrams: hasSessions ? webTransportMaxDatagrams : 0,
      };
    };
    this.#configs = new SiteConfigs(nativeQuic, limits, this.#ticketKey);
    this.#upkeep = makeDeadline(() => {
      this.#upkeepDone = this.#keepUp();
    });
  }

  // ---- what the server asks for ----

  /** Makes a deadline that is not set yet. All deadlines of a server share one timer. */
  readonly makeDeadline = this.#deadlines.add.bind(this.#deadlines);

  /** For how long the process has stood while deadlines were set, in ms. */
  get stood(): number {
    return this.#deadlines.stood;
  }

  get connCount(): number {
    return this.#conns.size;
  }

  get listensOn(): readonly string[] {
    return this.#endpoints.map(({ share: { local } }) => formatAddress({ host: local.address, port: local.port }));
  }

  /** The ports that it receives at. */
  get ports(): ReadonlySet<number> {
    return new Set(this.#endpoints.map(({ share }) => share.local.port));
  }

  trySite(site: SecureSite): void {
    this.#configs.of(site);
  }

  async prepare(): Promise<void> {
    const { props, listeners, path, stage, workers } = this.#options.context;
    const isShared = workers !== onlyWorker;
    const secret = await workers.secret("QUIC");
    this.#tokens = new RetryTokens(secret, () => stage.clock.now());
    await this.#ticketKey.shareAmong(workers, () => stage.clock.monotonic());
    for (const each of addressesIn(props.address)) {
      const address = await numericAddress(each, stage.namer);
      if ("path" in address) throw new TypeError(`${formatAddress(address)} is no address for datagrams`);
      const shares = await listeners.datagrams.share({ address, isShared });
      this.#endpoints.push(...shares.map((share) => new QuicEndpoint(share, listeners.datagrams, this)));
    }
    if (!isShared) return;
    const received: WorkerRelayOptions["received"] = (datagram, from, { address, port }) => {
      const endpoint = this.#endpoints.find(({ share: { local } }) => local.address === address && local.port === port);
      endpoint?.relayed(datagram, from);
    };
    this.relay = await WorkerRelay.open({ workers, secret, server: path, received });
    this.ids = this.relay.ids;
  }

  open(): void {
    const { log, workers, props } = this.#options.context;
    this.isOpen = true;
    this.#forgetStop = this.#options.context.listeners.onStop(() => this.#stopAccepting());
    for (const endpoint of this.#endpoints) endpoint.open();
    this.relay?.announce(true);
    this.#upkeep.set(props.tlsReloadInterval);
    if (workers.slot > 0) return;
    for (const address of this.listensOn) log.info(`listens on ${address}`);
  }

  changed(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const { http3 } of this.#conns.values()) http3?.idleTimeoutChanged();
    this.#configs.forget();
    if (changed.has("tlsReloadInterval") && this.#upkeep.isSet)
      this.#upkeep.set(this.#options.context.props.tlsReloadInterval);
  }

  /** New connections are for another worker, if there is one. */
  #stopAccepting(): void {
    this.isOpen = false;
    this.relay?.announce(false);
  }

  async drain(): Promise<void> {
    this.#stopAccepting();
    for (const [accepted, { http3 }] of [...this.#conns]) {
      if (http3 === undefined) accepted.conn.close(errorCode.noError, "");
      else http3.drain();
    }
    if (this.#conns.size === 0) return;
    this.#emptied ??= Promise.withResolvers<void>();
    await this.#emptied.promise;
  }

  async shutdown(): Promise<void> {
    this.isOpen = false;
    this.#forgetStop?.();
    for (const [{ conn }, { http3 }] of [...this.#conns]) {
      if (http3 === undefined) conn.close(errorCode.noError, "");
      else http3.destroy();
      // Tells the client, and forgets it.
      conn.endOfTurn();
      conn.abandon();
    }
    await Promise.all([...this.#endpoints.map((endpoint) => endpoint.close()), this.relay?.close()]);
    this.#upkeep.clear();
    await this.#upkeepDone;
    this.#upkeep.clear();
    this.#refused.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  note(peer: Peer, message: string): void {
    this.#options.context.log.info(`client ${nameOf(peer)}: ${message}`);
  }

  failed(at: Peer | AcceptedConn, error: unknown): void {
    const peer = "remote" in at ? at.remote : at;
    this.#options.context.log.error(`failed at client ${nameOf(peer)}`, { error });
  }

  /** HTTP/3 is over on a connection; what is left of it is the library's. */
  closed(_conn: GateConn): void {
    // `gone` follows.
  }

  // ---- what its endpoints ask for ----

  get native(): NativeQuic {
    return nativeQuic();
  }

  get tokens(): RetryTokens {
    if (this.#tokens === undefined) throw new TypeError("the front is not prepared");
    return this.#tokens;
  }

  get overhead(): { readonly max: number; readonly recovery: number } {
    const { http3MaxOverhead, http3ConnWindow, http3FloodRecovery } = this.#options.context.props;
    return { max: Math.max(http3MaxOverhead, 2 * http3ConnWindow), recovery: http3FloodRecovery };
  }

  get helloTimeout(): number {
    return Math.min(this.#options.context.props.handshakeTimeout, maxHelloTime);
  }

  get maxHellos(): number {
    return shareOf(this.#options.context.props.maxHandshakes, this.#options.context.workers);
  }

  demandsRetry(hellos: number): boolean {
    const { retry } = this.#options.context.props;
    return retry === "always" || (retry === "underLoad" && (this.#handshakes + hellos) * 2 >= this.maxHellos);
  }

  admits(client: Endpoint): boolean {
    const { context, clients } = this.#options;
    const isFull = this.#conns.size >= shareOf(context.props.maxConns, context.workers);
    if (!isFull && this.#handshakes < this.maxHellos && clients.mayConnect(client)) return true;
    this.counts.refused();
    if (isFull) this.#refused.add(client.address);
    return false;
  }

  get soleConfig(): SiteConfig | undefined {
    const { source, context } = this.#options;
    return source.dependsOnName || context.props.tlsStrictServerName ? undefined : this.#configOf(source.fallback);
  }

  configFor({ serverName }: QuicHello): SiteConfig | undefined | Promise<SiteConfig | undefined> {
    const { source, context } = this.#options;
    const found = serverName === "" ? undefined : source.find(serverName);
    const pick = (site: SecureSite | undefined): SiteConfig | undefined =>
      this.#configOf(site ?? (context.props.tlsStrictServerName ? undefined : source.fallback));
    return found instanceof Promise ? found.then(pick) : pick(found);
  }

  began(accepted: AcceptedConn): void {
    const { clients, context } = this.#options;
    const deadline = this.makeDeadline(() => {
      this.handshakeFailed(accepted.remote, `it took longer than ${context.props.handshakeTimeout} ms`);
      accepted.conn.abandon();
    });
    const conn = new FrontConn(deadline);
    this.#conns.set(accepted, conn);
    this.#handshakes++;
    this.counts.accepted();
    clients.connected(conn, accepted.remote);
    deadline.set(context.props.handshakeTimeout);
  }

  established(accepted: AcceptedConn): QuicConnUser {
    const { server } = this.#options;
    const { conn, terms, remote, local } = accepted;
    const tls = new QuicTlsFacts(conn, terms);
    const http3 = new Http3Conn(conn, { ...remote, local }, tls, server);
    const open = this.#conns.get(accepted);
    if (open !== undefined) {
      open.http3 = http3;
      open.deadline?.clear();
      open.deadline = undefined;
    }
    this.#handshakes--;
    this.counts.handshake(tls.isResumed);
    if (!this.isOpen) http3.drain();
    return http3;
  }

  gone(accepted: AcceptedConn): void {
    const conn = this.#conns.get(accepted);
    if (conn === undefined) return;
    this.#conns.delete(accepted);
    conn.closed();
    if (conn.http3 === undefined) {
      this.#handshakes--;
      this.counts.handshakeFailed();
    }
    this.counts.closed();
    if (this.#conns.size === 0) this.#emptied?.resolve();
  }

  handshakeFailed({ address }: Endpoint, reason: string): void {
    this.#failures.add(`${address}: ${reason}`);
  }

  #configOf(site: SecureSite | undefined): SiteConfig | undefined {
    if (site === undefined) return undefined;
    const { context } = this.#options;
    this.#ticketKey.replaceIfOlder(context.props.tlsTicketKeyLifetime, context.stage.clock.monotonic());
    return this.#configs.of(site);
  }

  #tellRefused(count: number, latest: string): void {
    const { log, props } = this.#options.context;
    const whose = count === 1 ? `a connection of ${latest}` : `${count} connections, the last of ${latest}`;
    log.warn(`refused ${whose}: there are as many as maxConns of ${props.maxConns} allows this worker`);
  }

  #tellFailed(count: number, latest: string): void {
    const { log } = this.#options.context;
    log.info(
      count === 1 ? `no QUIC connection with ${latest}` : `no QUIC connection ${count} times, the last with ${latest}`,
    );
  }

  async #keepUp(): Promise<void> {
    const { source, context } = this.#options;
    try {
      await source.refresh?.();
    } catch (error) {
      context.log.error("the upkeep of certificates failed", { error });
    }
    this.#upkeep.set(context.props.tlsReloadInterval);
  }
}

function nameOf({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}] port ${port}` : `${address} port ${port}`;
}

/** In ms: our own limit closes an idle connection, with a word to its client; that of QUIC comes after it. */
const graceOfIdle = 5000;

/** In ms: the datagrams of a ClientHello are sent together. */
const maxHelloTime = 5000;
