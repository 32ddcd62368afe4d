// httpxServer: serves webapps over HTTP on one address.

import { AsyncResource } from "node:async_hooks";
import type { Socket } from "node:net";
import { Deadlines } from "@hemi/common";
import type { Context } from "../stage/context.ts";
import type { ExplainRequest, ServerExplanation } from "../web/explain/explanation.ts";
import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";
import { isMadeBy, type CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { Http1Conn } from "../http1/server-conn.ts";
import { WholeResponses } from "../http1/whole-responses.ts";
import { beginsWithPreface } from "../http2/frames.ts";
import { http2Props } from "../http2/props.ts";
import { Http2Conn } from "../http2/server-conn.ts";
import type { Http2Host } from "../http2/server-host.ts";
import { AcceptedSocket } from "../net/accepted-socket.ts";
import { claimAddress } from "../front/claim-address.ts";
import { Gate, type GateConn } from "../front/gate.ts";
import type { ListenerShare } from "../net/listener.ts";
import { numericAddress } from "../net/numeric-address.ts";
import { peerOf, type Peer } from "../net/peer.ts";
import { ProxyHeaderReader, type ProxyHeaderReaderOptions } from "../front/proxy-header-reader.ts";
import { Refusals } from "../front/refusals.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Dispatcher } from "../web/dispatch/dispatcher.ts";
import type { ExchanWire } from "../http/exchan.ts";
import { explainHandshake } from "../web/explain/explain-handshake.ts";
import { explainListening } from "../web/explain/explain-listening.ts";
import { explainServer, headOf } from "../web/explain/explain-server.ts";
import { sendMissPage } from "../web/explain/miss-page.ts";
import { readExplainRequest, serverNameOf } from "../web/explain/read-request.ts";
import { SilentWire } from "../web/wires/silent-wire.ts";
import { clientLimitProps, ClientLimits } from "./client-limits.ts";
import { Https } from "./https.ts";
import { checkServerTls, httpsServerProps } from "../web/https-props.ts";
import { Injector } from "../web/wires/inject.ts";
import { explainable, injectable, type Explainable, type Injectable } from "../web/server-capabilities.ts";
import { defineServer, webappKind, type ServerPart } from "../web/kinds.ts";
import { webapp } from "../web/dispatch/webapp.ts";

const props = {
  /** The webapps that it serves, by name. Their hostnames tell which one a request is for; none: 421. */
  webapps: prop.list(prop.reference(webappKind), { required: true, min: 1, aliases: ["forApps"] }),
  /** Where it listens: `:port` (all addresses), `host:port`, `[v6]:port` or `/path.sock`. Port 0 takes a free one; of a name's addresses the first IPv4 one counts. */
  address: prop.address({ required: true }),
  /** Between two requests of a connection; then it is closed. */
  idleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Instead of `idleTimeout` while the server drains: a request that is on its way arrives by then, and is answered. */
  drainIdleTimeout: prop.duration({ default: "250ms", inherited: true, reload: "live" }),
  /** From the first byte of a request's head to its last; then 408. */
  headTimeout: prop.duration({ default: "20s", min: "1ms", inherited: true, reload: "live" }),
  /** Between two pieces of a request's content; then 408. */
  contentTimeout: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /** Bytes a second that a request's content must come in at, on average over the time that it is waited for; else 408. 0: any rate will do. */
  minContentRate: prop.size({ default: 128, inherited: true, reload: "live" }),
  /** Content that has not been waited for longer than this may come at any rate. */
  contentRateGrace: prop.duration({ default: "5s", inherited: true, reload: "live" }),
  /** Until a handlet sends its head (then 503), and between two pieces of its content (then the answer is broken off). */
  handleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /** Without the client taking anything of its answer; then it is broken off. */
  writeTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * When a connection has to end while its client may still send, we shut our side and read theirs away, so that a reset does not
   * destroy the answer on its way: until nothing has come for this long.
   */
  lingerTimeout: prop.duration({ default: "2s", min: "1ms", inherited: true, reload: "live" }),
  /** Once we have read theirs away for this long, the connection is closed as soon as anything more comes. */
  maxLingerTime: prop.duration({ default: "30s", min: "1ms", inherited: true, reload: "live" }),
  /** Of a request's head, and of the trailers of its content; more: 431. */
  maxHeadSize: prop.size({ default: "16K", min: "1K", max: "256K", inherited: true, reload: "live" }),
  /** Of the request target; more: 414. */
  maxTargetSize: prop.size({ default: "8K", min: 64, max: "64K", inherited: true, reload: "live" }),
  /**
   * Are request targets taken that hold UTF-8 as it is (`/über`), as some clients send it against RFC 3986? It is percent-encoded then, for conditions and for
   * backends. Else: 400.
   */
  rawUTF8InTargets: prop.bool({ default: false, inherited: true, reload: "live" }),
  /** Header fields of a request; more: 431. */
  maxFields: prop.integer({ default: 100, min: 1, max: 10_000, inherited: true, reload: "live" }),
  /**
   * Input that comes while a request is served and that no handlet asks for, such as the next requests of a client that pipelines.
   * At this size, give or take one read, the connection is not read any further until there is use for it.
   */
  maxBufferedInput: prop.size({ default: "64K", min: "1K", max: "1M", inherited: true, reload: "live" }),
  /** Sized content that no handlet read is read away up to this, to keep the connection; with more, or in chunks, it is closed. */
  maxDiscardedContent: prop.size({ default: "64K", inherited: true, reload: "live" }),
  /**
   * Addresses of proxies that tell by a PROXY header, version 1 or 2, in front of all else on a connection, TLS too, whose it is: that
   * is the client then (`$srcHost`), and the proxy stays `$peerHost` in access logs. A connection of theirs without a right header is closed. All others
   * are clients, who may not tell such things: a header of theirs is a malformed request.
   */
  proxyProtocol: prop.addresses({ default: [], inherited: true }),
  /** Until the PROXY header is there; then the connection is closed. */
  proxyHeaderTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * Addresses of HTTP proxies that are believed when they say where a request comes from: `$srcHost` is then the last address in `forwardedField` that is not
   * one of theirs, or `unknown` where one of them names no address. What any proxy says of scheme and host is left to who asks for it. Behind `proxyProtocol`, it is the client named there that is looked for.
   */
  trustForwarded: prop.addresses({ default: [], inherited: true }),
  /**
   * Where the proxies of `trustForwarded` say so. It must be a field that all of them set or add to, else it holds what a client
   * wrote into it; so there is one, and the other is not looked at.
   */
  forwardedField: prop.choice(["x-forwarded-for", "forwarded"], { default: "x-forwarded-for", inherited: true }),
  ...httpsServerProps,
  /** Connections at once; one more is closed as soon as it is accepted. The error log counts them, in one line every 10 seconds. */
  maxConns: prop.integer({ default: 20_000, min: 1, inherited: true, reload: "live" }),
  ...clientLimitProps,
  /** Requests on one connection; the last one is answered with `connection: close`. */
  maxRequestsPerConn: prop.integer({ default: 100_000, min: 1, inherited: true, reload: "live" }),
  ...http2Props,
};

/** Serves webapps over HTTP on one address. */
export const httpxServer = defineServer({
  sign: "httpxServer",
  props,
  check(context) {
    checkServerTls(
      context,
      context.references("webapps").filter((referred) => isMadeBy(referred, webapp)),
    );
    claimAddress(context);
    const owners = new Map<string, CheckContext>();
    for (const referred of context.references("webapps")) {
      if (!isMadeBy(referred, webapp)) continue;
      for (const hostname of referred.props.hostnames) {
        const owner = owners.get(hostname);
        if (owner === undefined) owners.set(hostname, referred);
        else if (owner !== referred) {
          const message = `the hostname "${hostname}" is that of ${owner.path} too, and ${context.path} serves both`;
          referred.report({ prop: "hostnames", message });
        }
      }
    }
  },
  offers: [injectable, explainable],
  create: (context): ServerPart & Injectable & Explainable => new HttpxServer(context),
});

/** Who serves a connection, by the protocol that its TLS handshake has agreed on (ALPN); the first one is preferred. */
const connsOverTLS: Readonly<
  Record<string, new (socket: Socket, host: Http2Host, tls: TlsFacts, peer: Peer) => GateConn>
> = {
  h2: Http2Conn,
  "http/1.1": Http1Conn,
};

/** The asynchronous context that requests begin in: an empty one. */
const requestContext = new AsyncResource("HEMI_REQUEST", { requireManualDestroy: true });

class HttpxServer implements ServerPart, Injectable, Explainable, Http2Host, ProxyHeaderReaderOptions {
  readonly #context: Context<PropsOf<typeof props>, undefined>;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #injector = new Injector(
    (wire) => this.#dispatcher?.serve(wire),
    () => this.settings.handleTimeout,
  );
  readonly #refusals = new Refusals({
    makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
    tell: (count, latest) => this.#tellRefused(count, latest),
  });
  readonly #failures = new Refusals({
    makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
    tell: (count, latest) => this.#tellFailed(count, latest),
  });
  readonly #clientLimits: ClientLimits;
  #share: ListenerShare | undefined;
  #gate: Gate<GateConn> | undefined;
  #https: Https | undefined;
  #dispatcher: Dispatcher | undefined;
  #dateLine = "";
  readonly wholeResponses = new WholeResponses();
  #dateOfLine = "";

  constructor(context: Context<PropsOf<typeof props>, undefined>) {
    this.#context = context;
    this.#clientLimits = new ClientLimits(context.props, context.log, this.makeDeadline);
  }

  async examine(): Promise<void> {
    if (!this.#context.props.tlsMode) return;
    const https = await this.#openHttps();
    await https.close();
  }

  async prepare(): Promise<void> {
    const { props, log, listeners, stage, isDevelopment } = this.#context;
    this.#dispatcher = new Dispatcher(
      props.webapps.map((webapp) => webapp.current),
      log,
      stage.fcache,
      isDevelopment === true ? (resp, wire) => sendMissPage(resp, wire, props) : undefined,
      props,
    );
    if (props.tlsMode) this.#https = await this.#openHttps();
    this.#share = await listeners.share(await numericAddress(props.address, stage.namer), this.#context);
    this.#gate = new Gate({
      share: this.#share,
      maxConns: () => props.maxConns,
      // Whose a connection of a proxy is, its header will tell.
      admits: (socket) => this.#isProxy(socket) || this.#clientLimits.mayConnect(peerOf(socket).address),
      open: (accepted: Socket) => {
        // TLS reads by itself.
        const socket = props.tlsMode ? accepted : AcceptedSocket.takeOver(accepted);
        if (this.#isProxy(socket)) return new ProxyHeaderReader(socket, this);
        this.#clientLimits.connected(socket, peerOf(socket).address);
        return this.#open(socket);
      },
      failed: (error) => log.error("failed at a connection", { error }),
      refused: (socket: Socket) => this.#refusals.add(peerOf(socket).address),
    });
  }

  start(): void {
    this.#gate?.open();
    for (const address of this.listensOn) this.#context.log.info(`listens on ${address}`);
  }

  drain(): Promise<void> | undefined {
    return this.#gate?.drain();
  }

  async shutdown(): Promise<void> {
    this.#injector.close();
    await this.#gate?.shutdown();
    await this.#https?.close();
    this.#clientLimits.close();
    this.#refusals.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  inject = (request: InjectRequest): Promise<InjectResponse> => this.#injector.inject(request);

  explainRequest(request: ExplainRequest): ServerExplanation {
    const { props } = this.#context;
    const { asked, place } = readExplainRequest(request);
    const scheme = props.tlsMode ? "https" : "http";
    const peer = { address: asked.srcHost, port: 0 };
    const { address } = props;
    return {
      request: asked,
      ...explainListening({ scheme, address }, place),
      walk: async () => {
        const head = headOf(asked, scheme);
        if (!props.tlsMode) return await explainServer(props, new SilentWire(head, peer, undefined));
        const hasCertificate = props.tlsCert !== undefined;
        const { handshake, tls } = explainHandshake({ ...props, hasCertificate }, serverNameOf(asked, place));
        if (tls === undefined) return { handshake, outcome: { type: "unreached", text: "there is no connection" } };
        return { handshake, ...(await explainServer(props, new SilentWire(head, peer, tls))) };
      },
    };
  }

  get listensOn(): readonly string[] {
    return this.#share === undefined ? [] : [this.#share.address];
  }

  async #openHttps(): Promise<Https> {
    const https = new Https({
      context: this.#context,
      webapps: this.#context.props.webapps,
      protocols: Object.keys(connsOverTLS).filter((protocol) => protocol !== "h2" || this.settings.http2),
      makeDeadline: this.makeDeadline,
      dateLine: () => this.dateLine,
      secured: (socket, tls, handshake) => {
        const Conn = connsOverTLS[tls.nextProto] ?? Http1Conn;
        this.#gate?.succeed(handshake, new Conn(socket, this, tls, handshake.peer));
      },
      closed: (handshake) => this.#gate?.closed(handshake),
    });
    await https.prepare();
    return https;
  }

  #open(socket: Socket, peer?: Peer): GateConn {
    return this.#https?.open(socket, peer) ?? new Http1Conn(socket, this, undefined, peer);
  }

  #isProxy(socket: Socket): boolean {
    const { proxyProtocol } = this.settings;
    return proxyProtocol.texts.length > 0 && proxyProtocol.contains(peerOf(socket).address);
  }

  #tellFailed(count: number, latest: string): void {
    const { log } = this.#context;
    if (count === 1) log.warn(`closed a connection of a proxy, ${latest}`);
    else log.warn(`closed ${count} connections of proxies, the last of ${latest}`);
  }

  #tellRefused(count: number, latest: string): void {
    const { log, props } = this.#context;
    const whose = count === 1 ? `a connection of ${latest}` : `${count} connections, the last of ${latest}`;
    log.warn(`refused ${whose}: there are ${props.maxConns} already, which is maxConns`);
  }

  // ---- what its connections ask of it ----

  get settings(): PropsOf<typeof props> {
    return this.#context.props;
  }

  get date(): string {
    return this.#context.stage.clock.date();
  }

  get dateLine(): string {
    const { date } = this;
    if (date !== this.#dateOfLine) {
      this.#dateOfLine = date;
      this.#dateLine = `date: ${date}\r\n`;
    }
    return this.#dateLine;
  }

  makeDeadline = this.#deadlines.add.bind(this.#deadlines);

  monotonic(): number {
    return this.#context.stage.clock.monotonic();
  }

  serve(wire: ExchanWire): void {
    if (!this.#clientLimits.mayServe(wire)) return this.#dispatcher?.refuseForNow(wire);
    // It may be read while another one is served or answered, and has nothing to do with what that has entered.
    requestContext.runInAsyncScope(this.#dispatch, this, wire);
  }

  #dispatch(wire: ExchanWire): void {
    this.#dispatcher?.serve(wire);
  }

  note(peer: Peer, message: string): void {
    const { address, port } = peer.source ?? peer;
    this.#context.log.info(`client ${address} port ${port}: ${message}`);
  }

  failed(peer: Peer, error: unknown): void {
    const { address, port } = peer.source ?? peer;
    this.#context.log.error(`failed at client ${address} port ${port}`, { error });
  }

  greeted(socket: Socket, peer: Peer, greeting: ProxyHeaderReader): void {
    const { address } = peer.source ?? peer;
    if (!this.#clientLimits.mayConnect(address)) {
      socket.destroy();
      return this.#gate?.closed(greeting);
    }
    this.#clientLimits.connected(socket, address);
    this.#gate?.succeed(greeting, this.#open(socket, peer));
    socket.resume();
  }

  greetingFailed(address: string, reason: string): void {
    this.#failures.add(`${address}: ${reason}`);
  }

  speaksOther(bytes: Buffer): boolean | "perhaps" {
    return this.settings.http2 && beginsWithPreface(bytes);
  }

  handOver(conn: Http1Conn, socket: Socket): void {
    this.#gate?.succeed(conn, new Http2Conn(socket, this, conn.tls, conn.peer));
  }

  connClosed(conn: GateConn): void {
    this.#gate?.closed(conn);
  }
}
