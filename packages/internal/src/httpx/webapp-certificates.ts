// The certificate source of a server: the files of the server and its webapps.

import type { Reference } from "../component/reference.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { complaintOfAge, coversAny, type Certificate } from "../front/tls/certificate.ts";
import type { CertificateSource, SecureSite } from "../front/tls/certificate-source.ts";
import { noTerms } from "../front/tls/client-terms.ts";
import type { SiteFiles } from "../front/tls/site-files.ts";
import { HostnameTable } from "../web/dispatch/hostnames.ts";
import type { WebappPart } from "../web/kinds.ts";

/** A site with the certificates that it was made of. */
interface FileSite extends SecureSite {
  readonly certificates: readonly Certificate[];
}

/** A webapp or the server itself, with its site from the latest reading of the files. */
interface Entry {
  readonly path: string;
  readonly webapp: WebappPart | undefined;
  site?: FileSite;
  /** The certificates that were last compared with the hostnames. */
  compared?: readonly Certificate[];
}

export interface WebappCertificatesOptions {
  /** The path of the server. */
  readonly path: string;
  readonly log: ErrorLog;
  /** In milliseconds since the epoch. */
  readonly now: () => number;
}

export class WebappCertificates implements CertificateSource {
  readonly #options: WebappCertificatesOptions;
  /** The server's own files; replaced when it names others. */
  own: SiteFiles | undefined;
  /** The first one is for clients that send no server name, or an unknown one. */
  #entries: readonly Entry[] = [];
  #table = new HostnameTable<Entry>([]);
  /** When the validity of certificates was last checked, in milliseconds since the epoch. */
  readonly #judgedAt = new WeakMap<readonly Certificate[], number>();

  constructor(options: WebappCertificatesOptions) {
    this.#options = options;
  }

  /** Sets the webapps that are served from now on. */
  compose(webapps: readonly Reference<WebappPart>[]): void {
    const known = new Map(this.#entries.map((entry) => [entry.webapp, entry] as const));
    const served = new Set(webapps.map(({ current }) => current));
    const entries = webapps
      .filter(({ current }) => served.delete(current))
      .map(({ current: webapp, path }): Entry => {
        const entry = known.get(webapp);
        return entry?.path === path ? entry : { path, webapp };
      });
    this.#table = new HostnameTable(
      entries.flatMap((entry) => (entry.webapp?.hostnames ?? []).map((hostname) => [hostname, entry] as const)),
    );
    const own = known.get(undefined) ?? { path: this.#options.path, webapp: undefined };
    this.#entries = [own, ...entries.filter(isDefault), ...entries.filter((entry) => !isDefault(entry))];
  }

  get fallback(): SecureSite | undefined {
    for (const entry of this.#entries) {
      const site = this.#siteOf(entry);
      if (site !== undefined) return site;
    }
    return undefined;
  }

  get dependsOnName(): boolean {
    return this.#entries.length > 2 || this.own?.certificates !== undefined;
  }

  find(serverName: string): SecureSite | undefined {
    const entry = this.#table.find(serverName);
    return entry && this.#siteOf(entry);
  }

  /** All sites, the fallback first. */
  sites(): readonly SecureSite[] {
    return this.#entries.flatMap((entry) => this.#siteOf(entry) ?? []);
  }

  async refresh(): Promise<void> {
    const { path } = this.#options;
    if (this.own !== undefined) await this.#refresh(path, this.own);
    for (const { path, webapp } of this.#entries) if (webapp?.tls !== undefined) await this.#refresh(path, webapp.tls);
    this.complain();
  }

  /**
   * Logs warnings: once for new certificates that do not match the hostnames, and daily for certificates that are not
   * valid or soon will not be.
   */
  complain(): void {
    for (const entry of this.#entries) {
      const certificates = this.#siteOf(entry)?.certificates;
      if (certificates === undefined) continue;
      this.#compare(entry, certificates);
      this.#judgeAge(entry, certificates);
    }
  }

  #compare(entry: Entry, certificates: readonly Certificate[]): void {
    if (entry.compared === certificates) return;
    entry.compared = certificates;
    if (entry.webapp === undefined || coversAny(certificates, entry.webapp.hostnames)) return;
    const files = certificates.map(({ file }) => file).join(" and ");
    this.#options.log.warn(`${entry.path}: the certificate ${files} covers none of its hostnames`);
  }

  #judgeAge({ path }: Entry, certificates: readonly Certificate[]): void {
    const now = this.#options.now();
    if (now - (this.#judgedAt.get(certificates) ?? -Infinity) < day) return;
    this.#judgedAt.set(certificates, now);
    for (const certificate of certificates) {
      const complaint = complaintOfAge(certificate, now);
      if (complaint !== undefined) this.#options.log.warn(`${path}: ${complaint}`);
    }
  }

  async #refresh(path: string, files: Pick<SiteFiles, "refresh">): Promise<void> {
    const { log } = this.#options;
    try {
      if (await files.refresh()) log.info(`${path}: its certificate was read again, and is in use`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(`${path}: ${reason}; those that were there before stay in use`);
    }
  }

  /** The current site: the same object as long as neither certificates nor terms change. */
  #siteOf(entry: Entry): FileSite | undefined {
    const { path, webapp } = entry;
    const isOwn = webapp === undefined;
    const certificates = isOwn ? this.own?.certificates : (webapp.tls?.certificates ?? this.#standIns());
    if (certificates === undefined) return undefined;
    const terms = (isOwn ? this.#defaultWebapp : webapp)?.tls?.terms ?? noTerms;
    const { site } = entry;
    if (site?.certificates === certificates && site.terms === terms) return site;
    const sessionScope = certificates.map(({ file }) => file).join("\0");
    return (entry.site = { path, certificates, terms, sessionScope });
  }

  /** The certificates for webapps without their own. */
  #standIns(): readonly Certificate[] | undefined {
    const own = this.own?.certificates;
    if (own !== undefined) return own;
    for (const { webapp } of this.#entries) {
      const certificates = webapp?.tls?.certificates;
      if (certificates !== undefined) return certificates;
    }
    return undefined;
  }

  get #defaultWebapp(): WebappPart | undefined {
    return this.#entries.find(isDefault)?.webapp;
  }
}

function isDefault({ webapp }: Entry): boolean {
  return webapp?.hostnames.includes("*") === true;
}

const day = 24 * 60 * 60 * 1000;
