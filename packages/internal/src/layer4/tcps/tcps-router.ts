// tcpsRouter: listens for connections of TCP, TLS and UNIX sockets, and gives each to the first case that matches.

import type { WorkCount } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { claimAddress } from "../../front/claim-address.ts";
import { connsPerClientProps, ConnsPerClient } from "../../front/conns-per-client.ts";
import { Front } from "../../front/front.ts";
import { frontProps } from "../../front/front-props.ts";
import { checkTls } from "../../front/tls/tls-props.ts";
import type { Trace } from "../../operator/trace.ts";
import type { Context } from "../../stage/context.ts";
import { caseKind, defineRouter, type RouterPart } from "../kinds.ts";
import { explainableRouter, type ExplainableRouter, type ExplainedRouter } from "../explain/explainable-router.ts";
import { isUsualEnd, type ConnEndReason } from "../end-reason.ts";
import type { ConnCounts } from "../conn-counts.ts";
import { ConnTracing, connTraceProps } from "../conn-tracing.ts";
import { checkConnLog, ConnLog, connLogProps } from "../conn-log/conn-log.ts";
import { OpenConns } from "../open-conns.ts";
import { routedCases, untakenCounts, type RoutedCase } from "../routed-cases.ts";
import {
  checkRouterCertificates,
  RouterCertificates,
  routerCertificateProps,
  routerCertificatePropNames,
} from "./router-certificates.ts";
import { RouterConn, type RouterOfConns } from "./router-conn.ts";

const props = {
  ...frontProps,
  ...connsPerClientProps,
  /**
   * The address to listen on: `:port` (all addresses), `host:port`, `[v6]:port`, `:firstPort-lastPort` or
   * `/path.sock`. Port 0 takes a free port. Of the addresses of a name, the first IPv4 address is used.
   */
  address: prop.addressRange({ required: true }),
  ...routerCertificateProps,
  ...connLogProps,
  ...connTraceProps,
  /** With `tlsMode`: the protocols that the handshake offers (ALPN), the favourite first. Default: none. */
  alpn: prop.strings({ default: [], minLength: 1, max: 20, reload: "live" }),
  /**
   * How long cases wait for the bytes of the client that they need. After that, what is not known counts as empty, so
   * that protocols whose server speaks first can be told by their silence.
   */
  sniffTimeout: prop.duration({ default: "3s", min: "1ms", max: "2m", inherited: true, reload: "live" }),
};

/**
 * Listens for connections of TCP, TLS and UNIX sockets, and gives each to the first case that matches. A connection
 * that no case takes is closed. With `tlsMode`, it terminates TLS. Otherwise TLS is passed on; cases may still ask for
 * `$serverName` and `$nextProto`.
 */
export const tcpsRouter = defineRouter({
  sign: "tcpsRouter",
  props,
  check(context) {
    checkTls(context);
    checkRouterCertificates(context);
    checkConnLog(context);
    claimAddress(context);
    const { tlsMode, alpn } = context.props;
    if (!tlsMode && context.isSet("alpn")) context.report({ prop: "alpn", message: ".alpn needs .tlsMode = true" });
    for (const name of alpn) {
      if (name === "h3" || name === "doq")
        context.report({ prop: "alpn", message: `${name} is spoken over QUIC only` });
    }
  },
  offers: [explainableRouter],
  create: (context): RouterPart & ExplainableRouter => new TcpsRouter(context),
});

type RouterSettings = PropsOf<typeof props>;

class TcpsRouter implements RouterPart, ExplainableRouter, RouterOfConns {
  readonly #context: Context<RouterSettings, undefined>;
  readonly #front: Front<TcpsRouter>;
  readonly #clients: ConnsPerClient;
  readonly #certificates: RouterCertificates;
  #log: ConnLog | undefined;
  readonly #conns = new OpenConns(() => this.#open());
  readonly #untaken: ConnCounts;
  readonly #tracing: ConnTracing;
  cases: readonly RoutedCase[] = [];

  constructor(context: Context<RouterSettings, undefined>) {
    this.#context = context;
    this.#untaken = untakenCounts(context);
    this.#tracing = new ConnTracing(context);
    this.#certificates = new RouterCertificates(context.path, context.props, context.log);
    this.#front = new Front<TcpsRouter>({
      context,
      server: this,
      source: this.#certificates,
      codecs: [
        {
          transport: "tcp",
          get alpn() {
            return context.props.alpn;
          },
          open: (socket, peer, tls) => new RouterConn(socket, peer, tls, this),
        },
      ],
      openBare: (conn, peer) => new RouterConn(conn, peer, undefined, this),
      clients: {
        mayConnect: (client) => this.#clients.mayConnect(client),
        connected: (socket, client) => this.#clients.connected(socket, client),
      },
    });
    this.#clients = new ConnsPerClient(context.props, context.log, this.#front.makeDeadline);
  }

  async examine(): Promise<void> {
    await this.#load();
  }

  async prepare(): Promise<void> {
    await this.#load();
    this.#log = await ConnLog.open(this.#context);
    await this.#front.prepare();
  }

  compose(): void {
    this.cases = routedCases(this.#context);
  }

  start(): void {
    this.#front.open();
  }

  async revise(next: RouterSettings, changed: ReadonlySet<string>): Promise<() => void> {
    if (!next.tlsMode || !routerCertificatePropNames.some((name) => changed.has(name))) return () => undefined;
    const { path, log } = this.#context;
    const others = new RouterCertificates(path, next, log);
    for (const site of await others.load()) this.#front.trySite(site);
    return () => this.#certificates.exchange(others);
  }

  update(changed: ReadonlySet<string>): void {
    this.#front.changed(changed);
  }

  /** Connections that a dropped component has, or one that worked with it, end by the deadline. */
  settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    return this.#conns.settle(dropped, deadline, users);
  }

  countWork(dropped: ReadonlySet<object>, users: ReadonlySet<object>): WorkCount {
    return { conns: this.#front.connCount, ending: this.#conns.count(dropped, users) };
  }

  drain(): Promise<void> | undefined {
    return this.#front.drain();
  }

  async shutdown(): Promise<void> {
    this.#clients.close();
    await this.#front.shutdown();
    await this.#log?.close();
  }

  reopenLogs(): void {
    this.#log?.reopen();
  }

  get explained(): ExplainedRouter {
    const { address } = this.settings;
    return { address, protocol: "tcp", isTerminating: this.settings.tlsMode, cases: this.#context.children(caseKind) };
  }

  get listensOn(): readonly string[] {
    return this.#front.listensOn;
  }

  /** Of the connections of the front, those that are past their handshake. */
  *#open(): Generator<RouterConn, void> {
    for (const conn of this.#front.conns) if (conn instanceof RouterConn) yield conn;
  }

  async #load(): Promise<void> {
    if (!this.settings.tlsMode) return;
    for (const site of await this.#certificates.load()) this.#front.trySite(site);
  }

  // ---- called by its connections ----

  get settings(): RouterSettings {
    return this.#context.props;
  }

  get isLogging(): boolean {
    return this.#log !== undefined;
  }

  get makeDeadline(): Front<TcpsRouter>["makeDeadline"] {
    return this.#front.makeDeadline;
  }

  beginTrace(): Trace | undefined {
    return this.#tracing.begin();
  }

  now(): number {
    return this.#context.stage.clock.monotonic();
  }

  failed({ peer, taker }: RouterConn, error: unknown): void {
    this.#front.failed(peer, error, taker?.path);
  }

  over(conn: RouterConn, reason: ConnEndReason): void {
    conn.taker?.counts.left();
    (conn.taker?.counts ?? this.#untaken).ended(conn, reason);
    this.#tracing.ended(conn, reason);
    this.#log?.write(conn, reason);
    if (!isUsualEnd(reason)) this.#front.note(conn.peer, `its connection was ended: ${reason}`);
    this.#front.closed(conn);
    this.#conns.ended(conn);
  }
}
