// http3Server: serves webapps over HTTP/3, on one UDP address.

import {
  allWebapps,
  AltServices,
  checkCertificatePair,
  checkTimeouts,
  checkWebapps,
  claimAddress,
  defineServer,
  explainable,
  injectable,
  WebServer,
  type Context,
  type Explainable,
  type Injectable,
  type ServerPart,
  type WebappPart,
} from "@hemi/internal";
import { http3Props, type Http3ServerSettings } from "./http3-props.ts";
import type { Http3CodecServer } from "./http3/codec-server.ts";
import { nativeQuic } from "./quic/native.ts";
import { QuicFront } from "./quic-front.ts";

/** Serves webapps over HTTP/3 (RFC 9114), on one UDP address. It always speaks TLS 1.3, which is a part of QUIC. */
export const http3Server = defineServer({
  sign: "http3Server",
  props: http3Props,
  shorthand: allWebapps,
  check(context) {
    const webapps = checkWebapps(context);
    checkCertificatePair(context);
    checkTimeouts(context, webapps);
    const { address, tlsCert } = context.props;
    if ("path" in address) {
      context.report({ prop: "address", message: "datagrams are received at a port: write host:port" });
    } else {
      claimAddress({ props: { address }, claim: (claim) => context.claim({ ...claim, what: `UDP, ${claim.what}` }) });
    }
    if (tlsCert !== undefined || webapps.some(({ props }) => props.tlsCert !== undefined)) return;
    const message = "there is no certificate: none of its webapps has a .tlsCert, nor has the server itself";
    context.report({ prop: "webapps", message, hint: "HTTP/3 is never spoken without TLS" });
  },
  offers: [injectable, explainable],
  create: (context): ServerPart & Injectable & Explainable => new Http3Server(context),
});

class Http3Server extends WebServer<Http3ServerSettings> implements Http3CodecServer {
  protected readonly isSecure = true;
  protected readonly front: QuicFront;
  readonly #context: Context<Http3ServerSettings, undefined>;
  /** Whose responses say that they are served here. */
  #announced: readonly WebappPart[] = [];
  #isListening = false;

  constructor(context: Context<Http3ServerSettings, undefined>) {
    super(context);
    this.#context = context;
    this.front = new QuicFront({
      context,
      server: this,
      source: this.source,
      clients: {
        mayConnect: (client) => this.clientLimits.mayConnect(client),
        connected: (conn, client) => this.clientLimits.connected(conn, client),
      },
    });
  }

  override async examine(): Promise<void> {
    nativeQuic();
    await super.examine();
  }

  override async prepare(): Promise<void> {
    nativeQuic();
    await super.prepare();
  }

  override compose(): void {
    super.compose();
    if (this.#isListening) this.#announce();
  }

  override start(): void {
    super.start();
    this.#isListening = true;
    this.#announce();
  }

  override update(changed: ReadonlySet<string>): void {
    super.update(changed);
    if (this.#isListening) this.#announce();
  }

  override drain(): Promise<void> | undefined {
    this.#withdraw();
    return super.drain();
  }

  override async shutdown(): Promise<void> {
    this.#withdraw();
    await super.shutdown();
  }

  #announce(): void {
    this.#forgetAnnounced();
    const { altSvcMaxAge, altSvcPort, webapps } = this.#context.props;
    if (altSvcMaxAge === 0) return;
    const ports = altSvcPort === 0 ? [...this.front.ports] : [altSvcPort];
    const seconds = Math.floor(altSvcMaxAge / 1000);
    const services = ports.slice(0, maxAnnounced).map((port) => `h3=":${port}"; ma=${seconds}`);
    this.#announced = webapps.map(({ current }) => current);
    for (const webapp of this.#announced) AltServices.of(webapp).announce(this, services.join(", "));
  }

  #withdraw(): void {
    this.#isListening = false;
    this.#forgetAnnounced();
  }

  #forgetAnnounced(): void {
    for (const webapp of this.#announced) AltServices.of(webapp).withdraw(this);
    this.#announced = [];
  }
}

/** Of a range of ports, clients need to know one that works. */
const maxAnnounced = 4;
