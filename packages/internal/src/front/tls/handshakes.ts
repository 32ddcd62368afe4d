// The TLS handshakes of a front: selects the TLS server of each, logs failures, and maintains certificates and ticket
// keys.
//
//  ClientHello ── server name ──> source ── site ──> its TLS server ──> secured, failed

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Deadline } from "@hemi/common";
import type { Clock } from "../../fixtures/clock.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { readProtocols } from "../../net/tls/client-hello.ts";
import type { Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import { Refusals } from "../refusals.ts";
import type { CertificateSource, SecureSite } from "./certificate-source.ts";
import { TlsHandshake, type HandshakeHost, type HandshakeServer } from "./handshake.ts";
import { SiteServers } from "./site-servers.ts";
import type { TicketKey } from "./ticket-keys.ts";
import type { TlsSettings } from "./tls-props.ts";

export interface HandshakesOptions {
  readonly settings: TlsSettings & HandshakeHost["settings"];
  readonly source: CertificateSource;
  readonly protocols: () => readonly string[];
  readonly ticketKey: TicketKey;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: ErrorLog;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  readonly plainAnswer: HandshakeHost["plainAnswer"];
  readonly secured: (socket: TLSSocket, tls: TlsFacts, handshake: TlsHandshake) => void;
  readonly closed: (handshake: TlsHandshake) => void;
  /** Default: nobody is told. */
  readonly handshakeFailed?: () => void;
}

export class Handshakes implements HandshakeHost {
  readonly #options: HandshakesOptions;
  readonly #servers: SiteServers;
  readonly #failures: Refusals;
  readonly #upkeep: Deadline;
  #upkeepDone: Promise<void> = Promise.resolve();
  readonly settings: HandshakesOptions["settings"];
  readonly makeDeadline: HandshakesOptions["makeDeadline"];
  readonly plainAnswer: HandshakesOptions["plainAnswer"];
  readonly secured: HandshakesOptions["secured"];
  readonly closed: HandshakesOptions["closed"];

  constructor(options: HandshakesOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.makeDeadline = options.makeDeadline;
    this.plainAnswer = options.plainAnswer;
    this.secured = options.secured;
    this.closed = options.closed;
    this.#servers = new SiteServers(options);
    this.#failures = new Refusals({ ...options, tell: (count, latest) => this.#tellFailed(count, latest) });
    this.#upkeep = options.makeDeadline(() => {
      this.#upkeepDone = this.#keepUp();
    });
  }

  /** Throws HEMI_CERTIFICATE if the certificates of this site cannot be used. */
  try(site: SecureSite): void {
    this.#servers.serverFor(site);
  }

  /** Applies changed props of the server. The spoken protocols may depend on any of them. */
  changed(props: ReadonlySet<string>): void {
    this.#servers.forget();
    if (props.has("tlsReloadInterval") && this.#upkeep.isSet) this.#upkeep.set(this.settings.tlsReloadInterval);
  }

  /** From now on, keeps the source and the ticket key up to date. */
  start(): void {
    this.#upkeep.set(this.settings.tlsReloadInterval);
  }

  /** Takes an accepted connection. */
  open(socket: Socket, peer: Peer): TlsHandshake {
    return new TlsHandshake(socket, this, peer);
  }

  async close(): Promise<void> {
    this.#upkeep.clear();
    await this.#upkeepDone;
    this.#upkeep.clear();
    this.#failures.close();
  }

  // ---- called by its handshakes ----

  get needsServerName(): boolean {
    const { source } = this.#options;
    return source.dependsOnName || this.settings.tlsStrictServerName || source.findChallenge !== undefined;
  }

  serverFor(
    serverName: string | undefined,
    hello: Buffer,
  ): HandshakeServer | undefined | Promise<HandshakeServer | undefined> {
    if (serverName === undefined) return this.#pick(undefined);
    const { source } = this.#options;
    const name = serverName.toLowerCase().replace(/\.$/, "");
    if (source.findChallenge !== undefined && isChallenge(readProtocols(hello))) return this.#findChallenge(name);
    const found = source.find(name);
    return found instanceof Promise ? found.then((site) => this.#pick(site)) : this.#pick(found);
  }

  failed(address: string, reason: string): void {
    this.#options.handshakeFailed?.();
    this.#failures.add(`${address}: ${reason}`);
  }

  async #findChallenge(name: string): Promise<HandshakeServer | undefined> {
    const { source } = this.#options;
    const certificate = await source.findChallenge?.(name);
    if (certificate === undefined) return this.#pick(await source.find(name));
    return this.#servers.challengeServer(certificate, challengeProtocol);
  }

  #pick(found: SecureSite | undefined): HandshakeServer | undefined {
    const site = found ?? (this.settings.tlsStrictServerName ? undefined : this.#options.source.fallback);
    return site && this.#servers.serverFor(site);
  }

  #tellFailed(count: number, latest: string): void {
    this.#options.log.info(
      count === 1 ? `no TLS connection with ${latest}` : `no TLS connection ${count} times, the last with ${latest}`,
    );
  }

  async #keepUp(): Promise<void> {
    const { ticketKey, source, clock, log } = this.#options;
    ticketKey.replaceIfOlder(this.settings.tlsTicketKeyLifetime, clock.monotonic());
    try {
      await source.refresh?.();
    } catch (error) {
      log.error("the upkeep of certificates failed", { error });
    }
    this.#upkeep.set(this.settings.tlsReloadInterval);
  }
}

/** RFC 8737: an authority that validates a challenge offers only this protocol. */
const challengeProtocol = "acme-tls/1";

function isChallenge(protocols: readonly string[]): boolean {
  return protocols.length === 1 && protocols[0] === challengeProtocol;
}
