// The certificates of a server's sites, and who leads its handshakes: one TLS server for all sites that ask the same of their clients, so
// that no session that was begun under other terms can go on under theirs.
//
//   ClientHello ── server name ──> site ── its terms ──> tls.Server ── server name ──> the site's certificates

import { createHash } from "node:crypto";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from "node:tls";
import { HemiError } from "../../errors/hemi-error.ts";
import {
  complaintOfAge,
  coversAny,
  readAuthorities,
  readCertificates,
  type Certificate,
  type CertificateFiles,
} from "./certificate.ts";
import type { ClientTerms } from "./client-terms.ts";
import { FileWatch } from "./file-watch.ts";
import { followHandshakes, type HandshakeServer } from "./handshake.ts";

/** Who has a certificate of its own: a webapp, or the server for those that have none. */
export interface SecureSite {
  /** The component's path, for messages. */
  readonly path: string;
  readonly hostnames: readonly string[];
  readonly files: CertificateFiles;
  readonly terms: ClientTerms;
}

export interface SecureSitesOptions {
  /** All of them, the default one first: it is shown to clients that name no server, or an unknown one. */
  readonly sites: readonly [SecureSite, ...SecureSite[]];
  /** The site that a name belongs to. */
  readonly find: (serverName: string) => SecureSite | undefined;
  /** Whether clients that name no server, or an unknown one, are refused. */
  readonly isStrict: boolean;
  /** In the order of preference. */
  readonly protocols: readonly string[];
  /** What all contexts have in common. */
  readonly common: Pick<SecureContextOptions, "minVersion" | "ciphers" | "sessionTimeout">;
  readonly ticketKey: () => Buffer;
  /** Tells sites of other servers apart, for sessions. */
  readonly id: string;
  /** In ms since the epoch. */
  readonly now: () => number;
  /** Something that a person should know. */
  readonly warn: (message: string) => void;
}

export class SecureSites {
  readonly #options: SecureSitesOptions;
  readonly #watches = new Map<SecureSite, FileWatch>();
  readonly #certificates = new Map<SecureSite, readonly Certificate[]>();
  readonly #contexts = new Map<SecureSite, SecureContext>();
  /** By the name of their terms. */
  readonly #servers = new Map<string, HandshakeServer>();
  /** Whether it depends on the name that a client asks for who leads its handshake. */
  readonly needsServerName: boolean;

  constructor(options: SecureSitesOptions) {
    this.#options = options;
    const terms = new Set(options.sites.map((site) => site.terms.name));
    this.needsServerName = options.isStrict || terms.size > 1;
    for (const site of options.sites) {
      this.#watches.set(site, new FileWatch([...site.files.certs, ...site.files.keys, ...site.terms.authorities]));
    }
  }

  /** Reads all files. Throws HEMI_FILE or HEMI_CERTIFICATE for the first that cannot be used. */
  async load(): Promise<void> {
    for (const [site, watch] of this.#watches) {
      await watch.haveChanged();
      const options = await this.#read(site);
      const terms = site.terms.name;
      if (!this.#servers.has(terms)) this.#servers.set(terms, { server: this.#makeServer(site, options), terms });
      const certificates = this.#certificates.get(site) ?? [];
      if (!coversAny(certificates, site.hostnames)) {
        const files = certificates.map(({ file }) => file).join(" and ");
        this.#options.warn(`${site.path}: the certificate ${files} covers none of its hostnames`);
      }
    }
  }

  /** Takes over what has changed in the files, for handshakes from now on. What cannot be used is told, and what was before it stays. */
  async reload(): Promise<readonly SecureSite[]> {
    const reloaded: SecureSite[] = [];
    for (const [site, watch] of this.#watches) {
      if (!(await watch.haveChanged())) continue;
      try {
        const options = await this.#read(site);
        if (this.#leaderOf(site) === site) this.#servers.get(site.terms.name)?.server.setSecureContext(options);
        reloaded.push(site);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.warn(`${reason}; those that were there before stay in use`);
      }
    }
    return reloaded;
  }

  /** Tells of certificates that are not valid, or soon will not be. */
  complainOfAge(): void {
    const now = this.#options.now();
    for (const [site, certificates] of this.#certificates) {
      for (const certificate of certificates) {
        const complaint = complaintOfAge(certificate, now);
        if (complaint !== undefined) this.#options.warn(`${site.path}: ${complaint}`);
      }
    }
  }

  /** There is another ticket key. */
  takeTicketKey(): void {
    for (const { server } of this.#servers.values()) server.setTicketKeys(this.#options.ticketKey());
  }

  /** Who leads the handshake of a client that asks for this name; `undefined`: nobody does. */
  serverFor(serverName: string | undefined): HandshakeServer | undefined {
    const { isStrict, sites } = this.#options;
    const found = this.#find(serverName);
    if (found === undefined && isStrict) return undefined;
    return this.#servers.get((found ?? sites[0]).terms.name);
  }

  #find(serverName: string | undefined): SecureSite | undefined {
    return serverName === undefined ? undefined : this.#options.find(serverName.toLowerCase().replace(/\.$/, ""));
  }

  /** The site whose certificates a server shows where it is not told a name: the first one under its terms. */
  #leaderOf({ terms }: SecureSite): SecureSite | undefined {
    return this.#options.sites.find((site) => site.terms.name === terms.name);
  }

  async #read(site: SecureSite): Promise<SecureContextOptions> {
    try {
      const certificates = await readCertificates(site.files);
      const authorities = await readAuthorities(site.terms.authorities);
      const options = this.#contextOptions(site, certificates, authorities);
      this.#contexts.set(site, makeContext(site, options));
      this.#certificates.set(site, certificates);
      return options;
    } catch (error) {
      if (error instanceof HemiError)
        throw new HemiError(error.code, `${site.path}: ${error.message}`, { cause: error.cause });
      throw error;
    }
  }

  #contextOptions(
    site: SecureSite,
    certificates: readonly Certificate[],
    authorities: readonly string[],
  ): SecureContextOptions {
    const { common, id, ticketKey } = this.#options;
    // Who goes on with a session is not looked at again: one that was begun under other authorities is worth nothing under these.
    const context = createHash("sha256")
      .update([id, site.terms.name, ...authorities].join("\n"))
      .digest("hex");
    return {
      ...common,
      cert: certificates.map(({ chain }) => chain),
      key: certificates.map(({ key }) => key.export({ type: "pkcs8", format: "pem" })),
      ...(authorities.length === 0 ? {} : { ca: [...authorities] }),
      ticketKeys: ticketKey(),
      // At most 32 characters.
      sessionIdContext: context.slice(0, 32),
    };
  }

  #makeServer(site: SecureSite, options: SecureContextOptions): Server {
    const terms = site.terms.name;
    const server = createServer({
      ...options,
      requestCert: site.terms.demand !== "none",
      rejectUnauthorized: site.terms.demand === "required",
      ALPNProtocols: [...this.#options.protocols],
      ...(this.#isAlone(site) ? {} : { SNICallback: this.#contextFor(terms) }),
    });
    followHandshakes(server);
    return server;
  }

  /** Is it the only site under its terms? Then nobody needs to be asked, which costs a handshake, whose certificates are shown. */
  #isAlone({ terms }: SecureSite): boolean {
    return this.#options.sites.filter((site) => site.terms.name === terms.name).length === 1;
  }

  #contextFor(terms: string): TlsOptions["SNICallback"] {
    return (serverName, callback) => {
      const found = this.#find(serverName);
      // What the handshake is led under was settled by the name that was read before. Should it read another one, nothing of that one is shown.
      callback(null, found?.terms.name === terms ? this.#contexts.get(found) : undefined);
    };
  }
}

function makeContext(site: SecureSite, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const files = site.files.certs.join(" and ");
    throw new HemiError("HEMI_CERTIFICATE", `${files} cannot be used: ${reason}`, { cause });
  }
}
