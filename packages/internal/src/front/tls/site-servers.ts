// The TLS servers of Node that lead handshakes: one for each site, so that certificates, client terms and sessions of
// one site never mix with those of another. They listen on nothing: connections are handed to them.

import { createHash } from "node:crypto";
import { createServer, type SecureContextOptions, type TlsOptions } from "node:tls";
import { HemiError } from "../../errors/hemi-error.ts";
import { pemOfKey } from "./certificate.ts";
import type { ChallengeCertificate, SecureSite } from "./certificate-source.ts";
import { followHandshakes, type HandshakeServer } from "./handshake.ts";
import type { TicketKey } from "./ticket-keys.ts";

export interface SiteServersOptions {
  /** Read when a server is made: see `forget`. `tlsSessionTimeout` in ms. */
  readonly settings: {
    readonly tlsMinVersion: NonNullable<SecureContextOptions["minVersion"]>;
    readonly tlsCiphers: string;
    readonly tlsCurves: string;
    readonly tlsSessionTimeout: number;
  };
  /** By the names of ALPN, in the order of preference. Read when a server is made. */
  readonly protocols: () => readonly string[];
  readonly ticketKey: TicketKey;
}

/** A server with the ticket key that it has now. */
interface Entry extends HandshakeServer {
  ticketKey: Buffer;
}

export class SiteServers {
  readonly #options: SiteServersOptions;
  #entries = new WeakMap<SecureSite, Entry>();

  constructor(options: SiteServersOptions) {
    this.#options = options;
  }

  /**
   * The server of a site, made when first asked for. Throws HEMI_CERTIFICATE if its certificates cannot be used with
   * these settings.
   */
  serverFor(site: SecureSite): HandshakeServer {
    const ticketKey = this.#options.ticketKey.bytes;
    const found = this.#entries.get(site);
    if (found === undefined) {
      const entry = { ...this.#make(site, ticketKey), ticketKey };
      this.#entries.set(site, entry);
      return entry;
    }
    if (found.ticketKey !== ticketKey) {
      found.server.setTicketKeys(ticketKey);
      found.ticketKey = ticketKey;
    }
    return found;
  }

  /** A server for one handshake that proves something by its certificate, and leads to nothing. */
  challengeServer({ cert, key }: ChallengeCertificate, protocol: string): HandshakeServer {
    return { ...this.#create({ cert, key, ALPNProtocols: [protocol] }), terms: "", isChallenge: true };
  }

  /** Settings or protocols have changed: handshakes from now on are led with the new ones. */
  forget(): void {
    this.#entries = new WeakMap();
  }

  #make({ path, certificates, terms, sessionScope }: SecureSite, ticketKey: Buffer): HandshakeServer {
    const { settings, protocols } = this.#options;
    const { id, demand, authorities } = terms;
    const context = createHash("sha256").update(`${sessionScope}\0${id}`).digest("hex");
    try {
      return {
        ...this.#create({
          minVersion: settings.tlsMinVersion,
          ciphers: settings.tlsCiphers,
          ecdhCurve: settings.tlsCurves,
          sessionTimeout: Math.ceil(settings.tlsSessionTimeout / 1000),
          cert: certificates.map(({ chain }) => chain),
          key: certificates.map(pemOfKey),
          ...(authorities.length === 0 ? {} : { ca: [...authorities] }),
          requestCert: demand !== "none",
          rejectUnauthorized: demand === "required",
          ALPNProtocols: [...protocols()],
          ticketKeys: ticketKey,
          // A resumed session is not verified again: one that was begun under other terms is worth nothing under these.
          // At most 32 characters.
          sessionIdContext: context.slice(0, 32),
        }),
        terms: id,
      };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new HemiError("HEMI_CERTIFICATE", `the certificates of ${path} cannot be used: ${reason}`, { cause });
    }
  }

  #create(options: TlsOptions): Pick<HandshakeServer, "server"> {
    const server = createServer(options);
    followHandshakes(server);
    return { server };
  }
}
