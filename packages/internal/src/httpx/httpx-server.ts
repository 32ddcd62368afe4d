// httpxServer: serves webapps over HTTP on one address.

import { AsyncResource } from "node:async_hooks";
import type { Socket } from "node:net";
import type { Context } from "../stage/context.ts";
import type { ExplainRequest, ServerExplanation } from "../web/explain/explanation.ts";
import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";
import { isMadeBy, type CheckContext } from "../component/definition.ts";
import type { WorkCount } from "../component/part.ts";
import { claimAddress } from "../front/claim-address.ts";
import type { CodecConn } from "../front/codecs.ts";
import { connTaker, type ConnTaker } from "../front/conn-taker.ts";
import { Front } from "../front/front.ts";
import type { GateConn } from "../front/gate.ts";
import type { CertificateSource } from "../front/tls/certificate-source.ts";
import { noTerms } from "../front/tls/client-terms.ts";
import { SiteFiles } from "../front/tls/site-files.ts";
import type { ExchanServer, ExchanWire } from "../http/exchan.ts";
import { WholeResponses } from "../http1/whole-responses.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Dispatcher } from "../web/dispatch/dispatcher.ts";
import { OpenExchans } from "../web/dispatch/open-exchans.ts";
import { webapp } from "../web/dispatch/webapp.ts";
import { explainHandshake } from "../web/explain/explain-handshake.ts";
import { explainListening } from "../web/explain/explain-listening.ts";
import { explainServer, headOf } from "../web/explain/explain-server.ts";
import { sendMissPage } from "../web/explain/miss-page.ts";
import { readExplainRequest, serverNameOf } from "../web/explain/read-request.ts";
import { defineServer, type ServerPart } from "../stage/kinds/server.ts";
import { explainable, injectable, type Explainable, type Injectable } from "../web/server-capabilities.ts";
import { openStory } from "../web/trace/open-story.ts";
import { Injector } from "../web/wires/inject.ts";
import { SilentWire } from "../web/wires/silent-wire.ts";
import { allWebapps } from "./all-webapps.ts";
import { ChallengeAnswers } from "./challenge-answers.ts";
import { ClientLimits } from "./client-limits.ts";
import { httpCodecs, type HttpCodecServer } from "./http-codecs.ts";
import { httpxProps, type HttpxSettings } from "./httpx-props.ts";
import { checkTimeouts } from "./check-timeouts.ts";
import { checkServerTls, serverCertificatePropNames } from "./server-tls.ts";
import { WebappCertificates } from "./webapp-certificates.ts";

/** Serves webapps over HTTP on one address. */
export const httpxServer = defineServer({
  sign: "httpxServer",
  props: httpxProps,
  shorthand: allWebapps,
  check(context) {
    if (context.props.webapps.length === 0) {
      context.report({ prop: "webapps", message: "it needs a webapp to serve: there is none in .webapps" });
    }
    const webapps = context.references("webapps").filter((referred) => isMadeBy(referred, webapp));
    checkServerTls(context, webapps);
    checkTimeouts(context, webapps);
    claimAddress(context);
    const owners = new Map<string, CheckContext>();
    for (const referred of webapps) {
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
  offers: [injectable, explainable, connTaker],
  create: (context): ServerPart & Injectable & Explainable & ConnTaker => new HttpxServer(context),
});

/** The asynchronous context for requests: an empty one. */
const requestContext = new AsyncResource("HEMI_REQUEST", { requireManualDestroy: true });

export class HttpxServer implements ServerPart, Injectable, Explainable, ConnTaker, HttpCodecServer {
  readonly #context: Context<HttpxSettings, undefined>;
  readonly #front: Front<HttpCodecServer>;
  /** The TLS files of the configuration. */
  readonly #files: WebappCertificates;
  readonly #source: CertificateSource;
  readonly #open = new OpenExchans();
  readonly #injector = new Injector(
    (wire) => this.#server.serve(wire),
    () => this.settings.handleTimeout,
  );
  readonly #clientLimits: ClientLimits;
  /** Replaced by each `compose`. */
  #dispatcher: Dispatcher | undefined;
  /** Receives requests: the dispatcher, or a server before it. */
  #server: ExchanServer = { serve: (wire) => wire.abort() };
  readonly wholeResponses = new WholeResponses();
  #dateLine = "";
  #dateOfLine = "";
  #isStarted = false;
  #leaveOperator: (() => void) | undefined;

  /** `source`: provides certificates and responds to challenges. Default: the files in the configuration. */
  constructor(context: Context<HttpxSettings, undefined>, source?: CertificateSource) {
    const { path, log, stage } = context;
    this.#context = context;
    this.#files = new WebappCertificates({ path, log, now: () => stage.clock.now() });
    this.#source = source ?? this.#files;
    this.#front = new Front<HttpCodecServer>({
      context,
      server: this,
      codecs: httpCodecs,
      source: this.#source,
      clients: {
        mayConnect: (address) => this.#clientLimits.mayConnect(address),
        connected: (socket, address) => this.#clientLimits.connected(socket, address),
      },
      plainAnswer: () => this.#plainAnswer(),
    });
    this.#clientLimits = new ClientLimits(context.props, log, this.#front.makeDeadline);
  }

  async examine(): Promise<void> {
    await this.#load(this.#context.props);
  }

  async prepare(): Promise<void> {
    const { props } = this.#context;
    if (props.tlsMode) {
      this.#files.own = await this.#load(props);
      this.#files.compose(props.webapps);
      if (this.#source === this.#files) for (const site of this.#files.sites()) this.#front.trySite(site);
    }
    await this.#front.prepare();
  }

  compose(): void {
    const { props, log, stage, isDevelopment } = this.#context;
    const dispatcher = new Dispatcher({
      webapps: props.webapps.map((webapp) => webapp.current),
      log,
      fcache: stage.fcache,
      open: this.#open,
      counts: this.#front.counts,
      sendMissPage: isDevelopment === true ? (resp, wire) => sendMissPage(resp, wire, props) : undefined,
      trust: props,
    });
    this.#dispatcher = dispatcher;
    const isAsked = this.#source.answerChallenge !== undefined;
    this.#server = isAsked ? new ChallengeAnswers(this.#source, dispatcher) : dispatcher;
    if (!props.tlsMode) return;
    this.#files.compose(props.webapps);
    if (this.#isStarted) this.#lookAtCertificates();
  }

  start(): void {
    this.#isStarted = true;
    const { operator, stage } = this.#context;
    this.#leaveOperator = operator.requests.join((id) => openStory(this.#open, id, stage.clock.now()));
    if (this.#context.props.tlsMode) this.#files.complain();
    this.#front.open();
  }

  async revise(next: HttpxSettings, changed: ReadonlySet<string>): Promise<() => void> {
    if (!next.tlsMode || !serverCertificatePropNames.some((name) => changed.has(name))) return () => undefined;
    let other = await this.#load(next);
    return () => {
      const own = this.#files.own;
      if (own === undefined) return;
      this.#files.own = other;
      other = own;
    };
  }

  update(changed: ReadonlySet<string>): void {
    this.#front.changed(changed);
    if (this.#context.props.tlsMode) this.#lookAtCertificates();
  }

  settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    return this.#open.settle(dropped, deadline, users);
  }

  countWork(dropped: ReadonlySet<object>, users: ReadonlySet<object>): WorkCount {
    return { conns: this.#front.connCount, ending: this.#open.count(dropped, users) };
  }

  drain(): Promise<void> | undefined {
    this.#open.leave();
    return this.#front.drain();
  }

  async shutdown(): Promise<void> {
    this.#leaveOperator?.();
    this.#injector.close();
    this.#clientLimits.close();
    await this.#front.shutdown();
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
    return this.#front.listensOn;
  }

  takeConn(socket: Socket, peer: Peer, tls: TlsFacts | undefined): boolean {
    return this.#front.adopt(socket, peer, tls);
  }

  /** After a reload: all files have been read, but may not be usable with the settings of this server. */
  #lookAtCertificates(): void {
    this.#files.complain();
    for (const site of this.#files.sites()) {
      try {
        this.#front.trySite(site);
      } catch (error) {
        this.#context.log.error("there will be no handshakes for a webapp", { error });
      }
    }
  }

  /** The server's own files, after a check that handshakes can use them. Throws HEMI_FILE or HEMI_CERTIFICATE. */
  async #load(props: HttpxSettings): Promise<SiteFiles> {
    const { path } = this.#context;
    const files = new SiteFiles(props);
    await files.load();
    const { certificates } = files;
    if (certificates !== undefined) this.#front.trySite({ path, certificates, terms: noTerms, sessionScope: "" });
    return files;
  }

  #plainAnswer(): string {
    const text = "This port speaks HTTPS: the URL begins with https://\n";
    return (
      `HTTP/1.1 400 Bad Request\r\n${this.dateLine}content-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
    );
  }

  // ---- called by its connections ----

  get settings(): HttpxSettings {
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

  get makeDeadline(): Front<HttpCodecServer>["makeDeadline"] {
    return this.#front.makeDeadline;
  }

  monotonic(): number {
    return this.#context.stage.clock.monotonic();
  }

  serve(wire: ExchanWire): void {
    if (!this.#clientLimits.mayServe(wire)) return this.#dispatcher?.refuseForNow(wire);
    // A request may be parsed while another one is served, and must not inherit that one's asynchronous context.
    requestContext.runInAsyncScope(this.#serve, this, wire);
  }

  #serve(wire: ExchanWire): void {
    this.#server.serve(wire);
  }

  note(peer: Peer, message: string): void {
    this.#front.note(peer, message);
  }

  failed(peer: Peer, error: unknown): void {
    this.#front.failed(peer, error);
  }

  speaksOther(bytes: Buffer): boolean | "perhaps" {
    return this.#front.isOthers(bytes);
  }

  handOver(conn: CodecConn, socket: Socket): void {
    this.#front.handOver(conn, socket);
  }

  closed(conn: GateConn): void {
    this.#front.closed(conn);
  }
}
