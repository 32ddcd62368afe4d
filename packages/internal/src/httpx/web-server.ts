// Serves webapps to the connections of a front, whatever its transport: certificates, limits, dispatching.
//
//   front ── connections ──> codec ── serve(wire) ──> client limits ──> challenges ──> dispatcher ──> webapps

import { AsyncResource } from "node:async_hooks";
import type { Deadline } from "@hemi/common";
import { parseAddress, type AddressRange } from "../component/props/addresses.ts";
import type { WorkCount } from "../component/part.ts";
import type { Reference } from "../component/reference.ts";
import type { ServerCounts } from "../front/server-counts.ts";
import type { CertificateSource, SecureSite } from "../front/tls/certificate-source.ts";
import { noTerms } from "../front/tls/client-terms.ts";
import { SiteFiles, type NamedFiles } from "../front/tls/site-files.ts";
import type { GateConn } from "../front/gate.ts";
import type { ExchanServer, ExchanWire } from "../http/exchan.ts";
import type { Peer } from "../net/peer.ts";
import type { Context } from "../stage/context.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { Dispatcher } from "../web/dispatch/dispatcher.ts";
import { OpenExchans } from "../web/dispatch/open-exchans.ts";
import { explainHandshake } from "../web/explain/explain-handshake.ts";
import { explainListening } from "../web/explain/explain-listening.ts";
import { explainServer, headOf } from "../web/explain/explain-server.ts";
import type { ExplainRequest, ServerExplanation } from "../web/explain/explanation.ts";
import { sendMissPage } from "../web/explain/miss-page.ts";
import { readExplainRequest, serverNameOf } from "../web/explain/read-request.ts";
import type { WebappPart } from "../web/kinds.ts";
import type { Explainable, Injectable } from "../web/server-capabilities.ts";
import { openStory } from "../web/trace/open-story.ts";
import { Injector } from "../web/wires/inject.ts";
import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";
import { SilentWire } from "../web/wires/silent-wire.ts";
import { ChallengeAnswers } from "./challenge-answers.ts";
import { ClientLimits, type ClientLimitSettings } from "./client-limits.ts";
import { serverCertificatePropNames } from "./server-tls.ts";
import { WebappCertificates } from "./webapp-certificates.ts";

/** What a server of webapps has to know of its props. */
export interface WebServerSettings extends ClientLimitSettings, NamedFiles {
  /** Time limit in ms for the head of a response, and between two pieces of its content. */
  readonly handleTimeout: number;
  /** The webapps that it serves. */
  readonly webapps: readonly Reference<WebappPart>[];
  /** The address that it is configured to listen on, for `explainRequest`. */
  readonly address: AddressRange;
  /** Whether to refuse clients without a server name (SNI) or with an unknown one, for `explainRequest`. */
  readonly tlsStrictServerName: boolean;
}

/** What it has to know of its front, which listens and makes connections. */
export interface WebFront {
  /** Of the server: its connections, its handshakes, and the requests that are refused before a webapp has them. */
  readonly counts: ServerCounts;
  /** How many connections are open. */
  readonly connCount: number;
  /** The addresses that it listens on, after `prepare`. */
  readonly listensOn: readonly string[];
  /** Throws HEMI_CERTIFICATE if handshakes cannot be made with the certificates of this site. */
  trySite(site: SecureSite): void;
  /** For how long the process has stood while deadlines were set, in ms. */
  readonly stood: number;
  /** Makes a deadline that is not set yet. */
  makeDeadline(onExpired: () => void): Deadline;
  /** Binds and listens; connections wait until `open`. */
  prepare(): Promise<void>;
  /** Starts to accept connections. */
  open(): void;
  /** Live props of the server have changed. */
  changed(changed: ReadonlySet<string>): void;
  /** Accepts no new connections and waits until the open ones have finished. */
  drain(): Promise<void> | undefined;
  /** Works after a partial `prepare`, too. */
  shutdown(): Promise<void>;
  /** Logs something that a client did or failed to do. */
  note(peer: Peer, message: string): void;
  /** Logs an error that was thrown while a connection was served. */
  failed(peer: Peer, error: unknown): void;
  /** A connection is over. */
  closed(conn: GateConn): void;
}

/** The asynchronous context for requests: an empty one. */
const requestContext = new AsyncResource("HEMI_REQUEST", { requireManualDestroy: true });

/** A server of webapps. Subclasses bring the front. */
export abstract class WebServer<Settings extends WebServerSettings & Readonly<Record<string, unknown>>>
  implements ServerPart, Injectable, Explainable
{
  /** Listens and makes connections. Not used before the subclass has been constructed. */
  protected abstract readonly front: WebFront;
  /** Provides certificates and responds to challenges. */
  protected readonly source: CertificateSource;
  readonly #context: Context<Settings, undefined>;
  /** The TLS files of the configuration. */
  readonly #files: WebappCertificates;
  readonly #open = new OpenExchans();
  readonly #injector = new Injector(
    (wire) => this.#server.serve(wire),
    () => this.settings.handleTimeout,
  );
  #clientLimits: ClientLimits | undefined;
  /** Replaced by each `compose`. */
  #dispatcher: Dispatcher | undefined;
  /** Receives requests: the dispatcher, or a server before it. */
  #server: ExchanServer = { serve: (wire) => wire.abort() };
  #isStarted = false;
  #leaveOperator: (() => void) | undefined;

  /** `source`: default: the files in the configuration. */
  constructor(context: Context<Settings, undefined>, source?: CertificateSource) {
    const { path, log, stage } = context;
    this.#context = context;
    this.#files = new WebappCertificates({ path, log, now: () => stage.clock.now() });
    this.source = source ?? this.#files;
  }

  /** Whether it speaks TLS. */
  protected abstract readonly isSecure: boolean;

  /** Limits the connections and requests of each client. Made when it is needed first: it needs the front. */
  protected get clientLimits(): ClientLimits {
    return (this.#clientLimits ??= new ClientLimits(this.#context.props, this.#context.log, this.makeDeadline));
  }

  async examine(): Promise<void> {
    const { props } = this.#context;
    await this.#load(props);
    if (!this.isSecure || this.source !== this.#files) return;
    for (const { current: webapp, path } of props.webapps) {
      // A webapp reports what is wrong with its files. Here it is tried whether they fit the settings of the server.
      const files = await webapp.tls?.readApart().catch(() => undefined);
      const certificates = files?.certificates;
      if (files === undefined || certificates === undefined) continue;
      this.front.trySite({ path, certificates, terms: files.terms, sessionScope: "" });
    }
  }

  async prepare(): Promise<void> {
    const { props } = this.#context;
    if (this.isSecure) {
      this.#files.own = await this.#load(props);
      this.#files.compose(props.webapps);
      if (this.source === this.#files) for (const site of this.#files.sites()) this.front.trySite(site);
    }
    await this.front.prepare();
  }

  compose(): void {
    const { props, log, stage, isDevelopment } = this.#context;
    const dispatcher = new Dispatcher({
      webapps: props.webapps.map((webapp) => webapp.current),
      log,
      fcache: stage.fcache,
      open: this.#open,
      counts: this.front.counts,
      sendMissPage: isDevelopment === true ? (resp, wire) => sendMissPage(resp, wire, props) : undefined,
      trust: props,
    });
    this.#dispatcher = dispatcher;
    const isAsked = this.source.answerChallenge !== undefined;
    this.#server = isAsked ? new ChallengeAnswers(this.source, dispatcher) : dispatcher;
    if (!this.isSecure) return;
    this.#files.compose(props.webapps);
    if (this.#isStarted) this.#lookAtCertificates();
  }

  start(): void {
    this.#isStarted = true;
    const { operator, stage } = this.#context;
    this.#leaveOperator = operator.requests.join((id) => openStory(this.#open, id, stage.clock.now()));
    if (this.isSecure) this.#files.complain();
    this.front.open();
  }

  async revise(next: Settings, changed: ReadonlySet<string>): Promise<() => void> {
    if (!this.isSecure || !serverCertificatePropNames.some((name) => changed.has(name))) return () => undefined;
    let other = await this.#load(next);
    return () => {
      const own = this.#files.own;
      if (own === undefined) return;
      this.#files.own = other;
      other = own;
    };
  }

  update(changed: ReadonlySet<string>): void {
    this.front.changed(changed);
    if (this.isSecure) this.#lookAtCertificates();
  }

  settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    return this.#open.settle(dropped, deadline, users);
  }

  countWork(dropped: ReadonlySet<object>, users: ReadonlySet<object>): WorkCount {
    return { conns: this.front.connCount, ending: this.#open.count(dropped, users) };
  }

  drain(): Promise<void> | undefined {
    this.#open.leave();
    return this.front.drain();
  }

  async shutdown(): Promise<void> {
    this.#leaveOperator?.();
    this.#injector.close();
    this.#clientLimits?.close();
    await this.front.shutdown();
  }

  inject = (request: InjectRequest): Promise<InjectResponse> => this.#injector.inject(request);

  explainRequest(request: ExplainRequest): ServerExplanation {
    const { props } = this.#context;
    const { asked, place } = readExplainRequest(request);
    const scheme = this.isSecure ? "https" : "http";
    const peer = { address: asked.srcHost, port: 0 };
    return {
      request: asked,
      ...explainListening({ scheme, address: this.#address }, place),
      walk: async () => {
        const head = headOf(asked, scheme);
        if (!this.isSecure) return await explainServer(props, new SilentWire(head, peer, undefined));
        const hasCertificate = props.tlsCert !== undefined;
        const { handshake, tls } = explainHandshake({ ...props, hasCertificate }, serverNameOf(asked, place));
        if (tls === undefined) return { handshake, outcome: { type: "unreached", text: "there is no connection" } };
        return { handshake, ...(await explainServer(props, new SilentWire(head, peer, tls))) };
      },
    };
  }

  get listensOn(): readonly string[] {
    return this.front.listensOn;
  }

  /** That of the configuration; once it listens on a free port, with that port. */
  get #address(): AddressRange {
    const { address } = this.#context.props;
    if ("path" in address || address.port !== 0) return address;
    const bound = parseAddress(this.listensOn[0] ?? "");
    return bound === undefined || "path" in bound ? address : { ...address, port: bound.port };
  }

  /** After a reload: all files have been read, but may not be usable with the settings of this server. */
  #lookAtCertificates(): void {
    this.#files.complain();
    for (const site of this.#files.sites()) {
      try {
        this.front.trySite(site);
      } catch (error) {
        this.#context.log.error("there will be no handshakes for a webapp", { error });
      }
    }
  }

  /** The server's own files, after a check that handshakes can use them. Throws HEMI_FILE or HEMI_CERTIFICATE. */
  async #load(props: Settings): Promise<SiteFiles> {
    const { path } = this.#context;
    const files = new SiteFiles(props);
    await files.load();
    const { certificates } = files;
    if (certificates !== undefined) this.front.trySite({ path, certificates, terms: noTerms, sessionScope: "" });
    return files;
  }

  // ---- called by its connections ----

  /** Live: read when used. */
  get settings(): Settings {
    return this.#context.props;
  }

  /** The present, as the field `date` has it. */
  get date(): string {
    return this.#context.stage.clock.date();
  }

  /** Makes a deadline that is not yet set. */
  readonly makeDeadline = (onExpired: () => void): Deadline => this.front.makeDeadline(onExpired);

  /** Monotonic, in ms. */
  monotonic(): number {
    return this.#context.stage.clock.monotonic();
  }

  /** For how long the process has stood while deadlines were set, in ms. */
  get stood(): number {
    return this.front.stood;
  }

  /** Answers a request through its wire, now or later. Never throws. `isFirst`: see `CodecServer`. */
  serve(wire: ExchanWire, isFirst = false): void {
    if (!this.clientLimits.mayServe(wire)) return this.#dispatcher?.refuseForNow(wire);
    // A request may be parsed while another one is served, and must not inherit that one's asynchronous context.
    // Entering another context inside of a call of the runtime costs a small request 3 %.
    if (isFirst) this.#serve(wire);
    else requestContext.runInAsyncScope(this.#serve, this, wire);
  }

  #serve(wire: ExchanWire): void {
    this.#server.serve(wire);
  }

  /** Notes in the error log what a client did or failed to do. */
  note(peer: Peer, message: string): void {
    this.front.note(peer, message);
  }

  /** The same for a request that the codec has refused with this status: it is counted, too. */
  requestRefused(peer: Peer, status: number, reason: string): void {
    this.front.counts.requestRefused();
    this.front.note(peer, `its request was refused with ${status}: ${reason}`);
  }

  /** Notes in the error log what was thrown while a connection was served. */
  failed(peer: Peer, error: unknown): void {
    this.front.failed(peer, error);
  }

  /** A connection is over, by its client or by us. */
  closed(conn: GateConn): void {
    this.front.closed(conn);
  }
}
