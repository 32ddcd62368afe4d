// Node's TLS servers for handshakes: one for each site, so that certificates, client terms and sessions of different
// sites never mix. They do not listen: connections are passed to them.

import { createHash } from "node:crypto";
import { createServer, type SecureContextOptions, type TlsOptions } from "node:tls";
import { HemiError } from "../../errors/hemi-error.ts";
import { pemOfKey } from "./certificate.ts";
import type { ChallengeCertificate, SecureSite } from "./certificate-source.ts";
import { followHandshakes, type HandshakeServer } from "./handshake.ts";
import type { TicketKey } from "./ticket-keys.ts";

export interface SiteServersOptions {
  /** Read when a server is created: see `forget`. `tlsSessionTimeout` in milliseconds. */
  readonly settings: {
    readonly tlsMinVersion: NonNullable<SecureContextOptions["minVersion"]>;
    readonly tlsCiphers: string;
    readonly tlsCurves: string;
    readonly tlsSessionTimeout: number;
  };
  /** ALPN names, in the order of preference. Read when a server is created. */
  readonly protocols: () => readonly string[];
  readonly ticketKey: TicketKey;
}

/** A server with its current ticket key. */
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
   * The server of a site, created at its first use. Throws HEMI_CERTIFICATE if its certificates cannot be used with
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

  /** A server for one handshake that proves control of a name by its certificate, without further use. */
  challengeServer({ cert, key }: ChallengeCertificate, protocol: string): HandshakeServer {
    return { ...this.#create({ cert, key, ALPNProtocols: [protocol] }), terms: "", isChallenge: true };
  }

  /** Settings or protocols have changed: later handshakes use the new ones. */
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
          // A resumed session is not verified again: a session under other terms is not accepted under these. At most
          // 32 characters.
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
