// The certificates of a tcpsRouter: its own, and those of further sites, by the names in them.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import { PropError } from "../../component/prop-error.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { CertificateSource, SecureSite } from "../../front/tls/certificate-source.ts";
import { checkClientCert, clientCertProps } from "../../front/tls/client-cert-props.ts";
import { SiteFiles } from "../../front/tls/site-files.ts";
import { checkCertificatePair } from "../../front/tls/tls-props.ts";
import type { ErrorLog } from "../../log/error-log.ts";

const siteProps = {
  /** The certificate, in PEM, with the chain to an authority. Several, such as RSA and ECDSA, are a list. */
  tlsCert: prop.paths({ min: 1, required: true }),
  /** The private key of `tlsCert`, in PEM; for several certificates, the keys in the same order. */
  tlsKey: prop.paths({ min: 1 }),
  /** The passphrase of encrypted keys in `tlsKey`. */
  tlsPassphrase: prop.string(),
};

/** Spread this into the props of a router. */
export const routerCertificateProps = {
  /**
   * The certificate for clients, in PEM, with the chain to an authority. Several, such as RSA and ECDSA, are a list. It
   * is also for clients that send no server name, or an unknown one. Needs `tlsMode`.
   */
  tlsCert: prop.paths({ min: 1, reload: "live" }),
  /** The private key of `tlsCert`, in PEM. Default: it is in the certificate file. */
  tlsKey: prop.paths({ min: 1, reload: "live" }),
  /** The passphrase of encrypted keys in `tlsKey`. */
  tlsPassphrase: prop.string({ reload: "live" }),
  /** Further certificates. A client gets the one that contains the server name that it asks for. */
  tlsSites: prop.list(prop.record(siteProps), { default: [], max: 10_000, reload: "live" }),
  ...clientCertProps,
};

/** The props that require files to be read when they change. */
export const routerCertificatePropNames: readonly string[] = Object.keys(routerCertificateProps);

type CertificateSettings = PropsOf<typeof routerCertificateProps>;

export function checkRouterCertificates(
  context: CheckContext<CertificateSettings & { readonly tlsMode: boolean }>,
): void {
  checkCertificatePair(context);
  checkClientCert(context);
  const { tlsMode, tlsCert, tlsSites } = context.props;
  if (tlsMode && tlsCert === undefined) context.report({ prop: "tlsMode", message: ".tlsMode needs .tlsCert" });
  for (const prop of ["tlsCert", "tlsSites", "tlsClientCert"] as const) {
    if (!tlsMode && context.isSet(prop)) context.report({ prop, message: `.${prop} needs .tlsMode = true` });
  }
  for (const { tlsCert, tlsKey } of tlsSites) {
    if (tlsKey === undefined || tlsKey.length === tlsCert.length) continue;
    const message = `${tlsCert.join(" and ")} and ${tlsKey.join(" and ")}: each certificate has a key of its own`;
    context.report({ prop: "tlsSites", message });
  }
}

/** One set of files, with its site from the latest reading. */
interface Entry {
  readonly files: SiteFiles;
  readonly prop: "tlsCert" | "tlsSites";
  site: SecureSite | undefined;
}

export class RouterCertificates implements CertificateSource {
  readonly dependsOnName = true;
  readonly #path: string;
  readonly #log: ErrorLog;
  /** The router's own one first. */
  #entries: readonly Entry[];

  constructor(path: string, settings: CertificateSettings, log: ErrorLog) {
    const { tlsClientCert, tlsClientCA } = settings;
    this.#path = path;
    this.#log = log;
    this.#entries = [settings, ...settings.tlsSites].map(({ tlsCert, tlsKey, tlsPassphrase }, i) => ({
      files: new SiteFiles({ tlsCert, tlsKey, tlsPassphrase, tlsClientCert, tlsClientCA }),
      prop: i === 0 ? "tlsCert" : "tlsSites",
      site: undefined,
    }));
  }

  /** Reads all files. Throws a PropError for the first invalid one. Returns the sites. */
  async load(): Promise<readonly SecureSite[]> {
    for (const entry of this.#entries) {
      try {
        await entry.files.load();
      } catch (cause) {
        if (!(cause instanceof PropError) || entry.prop === "tlsCert") throw cause;
        throw new PropError(entry.prop, cause.code, cause.message, { cause });
      }
      this.#makeSite(entry);
    }
    return this.#entries.flatMap(({ site }) => site ?? []);
  }

  /** Each takes what the other one has read. */
  exchange(other: RouterCertificates): void {
    [this.#entries, other.#entries] = [other.#entries, this.#entries];
  }

  get fallback(): SecureSite | undefined {
    return this.#entries[0]?.site;
  }

  find(serverName: string): SecureSite | undefined {
    const covers = ({ files }: Entry): boolean =>
      files.certificates?.some(({ leaf }) => leaf.checkHost(serverName) !== undefined) === true;
    return this.#entries.find(covers)?.site;
  }

  async refresh(): Promise<void> {
    for (const entry of this.#entries) {
      try {
        if (await entry.files.refresh()) this.#makeSite(entry);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn(`${reason}; what was there before stays in use`);
      }
    }
  }

  #makeSite(entry: Entry): void {
    const { certificates, terms } = entry.files;
    if (certificates === undefined) return;
    const sessionScope = certificates.map(({ file }) => file).join("\0");
    entry.site = { path: this.#path, certificates, terms, sessionScope };
  }
}
