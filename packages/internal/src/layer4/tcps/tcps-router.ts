// tcpsRouter: listens for connections of TCP, TLS and UNIX sockets, and gives each to the first case that matches.

import type { Child } from "../../component/context.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { claimAddress } from "../../front/claim-address.ts";
import { connsPerClientProps, ConnsPerClient } from "../../front/conns-per-client.ts";
import { Front } from "../../front/front.ts";
import { frontProps } from "../../front/front-props.ts";
import type { CertificateSource, SecureSite } from "../../front/tls/certificate-source.ts";
import { noTerms } from "../../front/tls/client-terms.ts";
import { SiteFiles } from "../../front/tls/site-files.ts";
import { checkCertificatePair, checkTls } from "../../front/tls/tls-props.ts";
import type { Peer } from "../../net/peer.ts";
import type { Context } from "../../stage/context.ts";
import { caseKind, defineRouter, type CasePart, type RouterPart } from "../kinds.ts";
import type { ConnEndReason } from "../end-reason.ts";
import { OpenConns } from "../open-conns.ts";
import { RouterConn, type RouterOfConns } from "./router-conn.ts";

const props = {
  ...frontProps,
  ...connsPerClientProps,
  /** The certificate for clients, in PEM, with the chain to an authority. Needs `tlsMode`. */
  tlsCert: prop.paths({ min: 1 }),
  /** The private key of `tlsCert`, in PEM. Default: it is in the certificate file. */
  tlsKey: prop.paths({ min: 1 }),
  /** The passphrase of encrypted keys in `tlsKey`. */
  tlsPassphrase: prop.string(),
  /** With `tlsMode`: the protocols that the handshake offers (ALPN), the favourite first. Default: none. */
  alpn: prop.strings({ default: [], minLength: 1, max: 20 }),
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
    checkCertificatePair(context);
    claimAddress(context);
    const { tlsMode, tlsCert, alpn } = context.props;
    if (tlsMode && tlsCert === undefined) context.report({ prop: "tlsMode", message: ".tlsMode needs .tlsCert" });
    for (const prop of ["tlsCert", "alpn"] as const) {
      if (!tlsMode && context.isSet(prop)) context.report({ prop, message: `.${prop} needs .tlsMode = true` });
    }
    for (const name of alpn) {
      if (name === "h3" || name === "doq")
        context.report({ prop: "alpn", message: `${name} is spoken over QUIC only` });
    }
  },
  create: (context): RouterPart => new TcpsRouter(context),
});

type RouterSettings = PropsOf<typeof props>;

class TcpsRouter implements RouterPart, RouterOfConns {
  readonly #context: Context<RouterSettings, undefined>;
  readonly #front: Front<TcpsRouter>;
  readonly #clients: ConnsPerClient;
  readonly #files: SiteFiles;
  #site: SecureSite | undefined;
  readonly #conns = new OpenConns<RouterConn>();
  cases: readonly Child<CasePart>[] = [];

  constructor(context: Context<RouterSettings, undefined>) {
    this.#context = context;
    this.#files = new SiteFiles(context.props);
    const router = (): TcpsRouter => this;
    const source: CertificateSource = {
      get fallback() {
        return router().#site;
      },
      dependsOnName: true,
      find: (serverName) => (this.#covers(serverName) ? this.#site : undefined),
      refresh: () => this.#refresh(),
    };
    this.#front = new Front<TcpsRouter>({
      context,
      server: this,
      source,
      codecs: [
        {
          transport: "tcp",
          alpn: context.props.alpn,
          open: (socket, peer, tls) => {
            const conn = new RouterConn(socket, peer, tls, this);
            this.#conns.add(conn);
            return conn;
          },
        },
      ],
      clients: {
        mayConnect: (address) => this.#clients.mayConnect(address),
        connected: (socket, address) => this.#clients.connected(socket, address),
      },
    });
    this.#clients = new ConnsPerClient(context.props, context.log, this.#front.makeDeadline);
  }

  async examine(): Promise<void> {
    await this.#load();
  }

  async prepare(): Promise<void> {
    await this.#load();
    await this.#front.prepare();
  }

  compose(): void {
    this.cases = this.#context.children(caseKind);
  }

  start(): void {
    this.#front.open();
  }

  update(changed: ReadonlySet<string>): void {
    this.#front.changed(changed);
  }

  /** Connections that a dropped component has, or one that worked with it, end by the deadline. */
  settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    return this.#conns.settle(dropped, deadline, users);
  }

  drain(): Promise<void> | undefined {
    return this.#front.drain();
  }

  async shutdown(): Promise<void> {
    this.#clients.close();
    await this.#front.shutdown();
  }

  get listensOn(): readonly string[] {
    return this.#front.listensOn;
  }

  async #load(): Promise<void> {
    const { props, path } = this.#context;
    if (!props.tlsMode) return;
    await this.#files.load();
    this.#makeSite();
    if (this.#site !== undefined) this.#front.trySite(this.#site);
    else throw new TypeError(`${path} has no certificate`);
  }

  #makeSite(): void {
    const { certificates } = this.#files;
    const { path } = this.#context;
    this.#site = certificates && { path, certificates, terms: noTerms, sessionScope: path };
  }

  #covers(serverName: string): boolean {
    return this.#files.certificates?.some(({ leaf }) => leaf.checkHost(serverName) !== undefined) === true;
  }

  async #refresh(): Promise<void> {
    if (await this.#files.refresh()) this.#makeSite();
  }

  // ---- called by its connections ----

  get settings(): RouterSettings {
    return this.#context.props;
  }

  get makeDeadline(): Front<TcpsRouter>["makeDeadline"] {
    return this.#front.makeDeadline;
  }

  failed(peer: Peer, error: unknown): void {
    this.#front.failed(peer, error);
  }

  over(conn: RouterConn, reason: ConnEndReason): void {
    this.#conns.delete(conn);
    if (!isUsual.has(reason)) this.#front.note(conn.peer, `its connection was ended: ${reason}`);
    this.#front.closed(conn);
  }
}

/** Reasons that the log does not mention. */
const isUsual: ReadonlySet<ConnEndReason> = new Set(["complete", "handedOver", "clientAborted"]);
