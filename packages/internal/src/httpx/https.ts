// HTTPS for a server: the certificates of its webapps, the handshakes of its clients, and what is to be done about both from time to time.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { Context } from "../stage/context.ts";
import type { Reference } from "../component/reference.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { Peer } from "../net/peer.ts";
import { Refusals } from "../front/refusals.ts";
import { noTerms } from "../front/tls/client-terms.ts";
import { Handshake, type HandshakeHost, type HandshakeServer } from "../front/tls/handshake.ts";
import { SecureSites, type SecureSite } from "../front/tls/secure-sites.ts";
import { TicketKey } from "../front/tls/ticket-keys.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { HostnameTable } from "../web/dispatch/hostnames.ts";
import { certificateFiles, type HttpsServerProps } from "../web/https-props.ts";
import type { WebappPart } from "../web/kinds.ts";

type Settings = HttpsServerProps & HandshakeHost["settings"];

export interface HttpsOptions {
  readonly context: Pick<Context<Settings, undefined>, "props" | "path" | "log" | "stage">;
  readonly webapps: readonly Reference<WebappPart>[];
  /** What is spoken, by the names of ALPN, in the order of preference. */
  readonly protocols: readonly string[];
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** `date: …` with its line end. */
  readonly dateLine: () => string;
  /** A connection has been made of what a handshake began. */
  readonly secured: (socket: TLSSocket, tls: TlsFacts, handshake: Handshake) => void;
  /** A connection is over before its handshake was. */
  readonly closed: (handshake: Handshake) => void;
}

export class Https implements HandshakeHost {
  readonly #options: HttpsOptions;
  readonly #sites: SecureSites;
  readonly #ticketKey: TicketKey;
  readonly #failures: Refusals;
  readonly #upkeep: Deadline;
  #upkeepDone: Promise<void> = Promise.resolve();
  /** When certificates were last judged by their age, on the monotonic clock. */
  #judgedAt = 0;
  readonly makeDeadline: HttpsOptions["makeDeadline"];
  readonly secured: HttpsOptions["secured"];
  readonly closed: HttpsOptions["closed"];

  constructor(options: HttpsOptions) {
    const { context, makeDeadline } = options;
    const { clock } = context.stage;
    this.#options = options;
    this.makeDeadline = makeDeadline;
    this.secured = options.secured;
    this.closed = options.closed;
    this.#ticketKey = new TicketKey(clock.monotonic());
    this.#sites = new SecureSites({
      ...sitesOf(options),
      isStrict: context.props.tlsStrictServerName,
      protocols: options.protocols,
      common: {
        minVersion: context.props.tlsMinVersion,
        ciphers: context.props.tlsCiphers,
        sessionTimeout: Math.ceil(context.props.tlsSessionTimeout / 1000),
      },
      ticketKey: () => this.#ticketKey.bytes,
      id: context.path,
      now: () => clock.now(),
      warn: (message) => context.log.warn(message),
    });
    this.#failures = new Refusals({ makeDeadline, tell: (count, latest) => this.#tellFailed(count, latest) });
    this.#upkeep = makeDeadline(() => {
      this.#upkeepDone = this.#keepUp();
    });
  }

  /** Throws HEMI_FILE or HEMI_CERTIFICATE where a file cannot be used. */
  async prepare(): Promise<void> {
    await this.#sites.load();
    this.#sites.complainOfAge();
    this.#judgedAt = this.#options.context.stage.clock.monotonic();
    this.#upkeep.set(this.settings.tlsReloadInterval);
  }

  /** Takes an accepted connection. */
  open(socket: Socket, peer?: Peer): Handshake {
    return new Handshake(socket, this, peer);
  }

  async close(): Promise<void> {
    this.#upkeep.clear();
    await this.#upkeepDone;
    this.#upkeep.clear();
    this.#failures.close();
  }

  // ---- what its handshakes ask of it ----

  get settings(): Settings {
    return this.#options.context.props;
  }

  get needsServerName(): boolean {
    return this.#sites.needsServerName;
  }

  serverFor(serverName: string | undefined): HandshakeServer | undefined {
    return this.#sites.serverFor(serverName);
  }

  failed(address: string, reason: string): void {
    this.#failures.add(`${address}: ${reason}`);
  }

  plainAnswer(): string {
    const text = "This port speaks HTTPS: the URL begins with https://\n";
    return (
      `HTTP/1.1 400 Bad Request\r\n${this.#options.dateLine()}content-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
    );
  }

  #tellFailed(count: number, latest: string): void {
    const { log } = this.#options.context;
    log.info(
      count === 1 ? `no TLS connection with ${latest}` : `no TLS connection ${count} times, the last with ${latest}`,
    );
  }

  // ---- from time to time ----

  async #keepUp(): Promise<void> {
    const { log, stage } = this.#options.context;
    const now = stage.clock.monotonic();
    try {
      if (this.#ticketKey.replaceIfOlder(this.settings.tlsTicketKeyLifetime, now)) this.#sites.takeTicketKey();
      const reloaded = await this.#sites.reload();
      for (const { path } of reloaded) log.info(`${path}: its certificate was read again, and is in use`);
      if (reloaded.length > 0 || now - this.#judgedAt >= day) {
        this.#judgedAt = now;
        this.#sites.complainOfAge();
      }
    } catch (error) {
      log.error("the upkeep of certificates failed", { error });
    }
    this.#upkeep.set(this.settings.tlsReloadInterval);
  }
}

const day = 24 * 60 * 60 * 1000;

/** The sites of the webapps, the default one first; those without a certificate are shown that of the server, else the default one. */
function sitesOf({
  context,
  webapps,
}: HttpsOptions): Pick<ConstructorParameters<typeof SecureSites>[0], "sites" | "find"> {
  const { props, path } = context;
  const own = certificateFiles(props);
  const defaultWebapp = webapps.find(({ current }) => current.hostnames.includes("*"));
  const inOrder =
    defaultWebapp === undefined ? webapps : [defaultWebapp, ...webapps.filter((webapp) => webapp !== defaultWebapp)];
  const files = own ?? inOrder.map(({ current }) => current.tls?.files).find((files) => files !== undefined);
  if (files === undefined)
    throw new HemiError("HEMI_CERTIFICATE", `${path} has no certificate: set .tlsCert of it or of its webapps`);
  const siteOf = ({ path, current: { hostnames, tls } }: Reference<WebappPart>): SecureSite => ({
    path,
    hostnames,
    files: tls?.files ?? files,
    terms: tls?.terms ?? noTerms,
  });
  const sites = new Map(inOrder.map((webapp) => [webapp, siteOf(webapp)] as const));
  const table = new HostnameTable(
    webapps.flatMap((webapp) => webapp.current.hostnames.map((hostname) => [hostname, sites.get(webapp)] as const)),
  );
  const ofServer: SecureSite | undefined = own && {
    path,
    hostnames: ["*"],
    files: own,
    terms: defaultWebapp?.current.tls?.terms ?? noTerms,
  };
  const [first, ...others] = [...(ofServer === undefined ? [] : [ofServer]), ...sites.values()];
  if (first === undefined) throw new HemiError("HEMI_USAGE", `${path} has no webapps`);
  return { sites: [first, ...others], find: (hostname) => table.find(hostname) };
}
