// The TLS files of a component: read when it is prepared, and again after changes.

import { pemOfKey, readAuthorities, readCertificates, type Certificate } from "./certificate.ts";
import { clientTerms, noTerms, unreadTerms, type ClientDemand, type ClientTerms } from "./client-terms.ts";
import { FileWatch } from "./file-watch.ts";
import { tryOut } from "./pem.ts";

/** The file props of a component. All files are in PEM. */
export interface NamedFiles {
  /** A file for each type of key: the certificate, then the chain to an authority. */
  readonly tlsCert?: readonly string[] | undefined;
  /** The key of each, in the same order. Default: the key is in the certificate file. */
  readonly tlsKey?: readonly string[] | undefined;
  readonly tlsPassphrase?: string | undefined;
  /** Default: `none`. */
  readonly tlsClientCert?: ClientDemand;
  readonly tlsClientCA?: readonly string[] | undefined;
}

/** The result of one reading. */
interface Loaded {
  readonly certificates: readonly Certificate[] | undefined;
  readonly terms: ClientTerms;
}

export class SiteFiles {
  readonly #named: NamedFiles;
  readonly #watch: FileWatch;
  #loaded: Loaded;

  constructor(named: NamedFiles) {
    const { tlsCert = [], tlsKey = [], tlsClientCert = "none", tlsClientCA = [] } = named;
    this.#named = named;
    this.#watch = new FileWatch([...tlsCert, ...tlsKey, ...(tlsClientCert === "none" ? [] : tlsClientCA)]);
    this.#loaded = { certificates: undefined, terms: unreadTerms(tlsClientCert, tlsClientCA) };
  }

  /** The same array until the files change; `undefined` if none are configured, or before they are read. */
  get certificates(): readonly Certificate[] | undefined {
    return this.#loaded.certificates;
  }

  /** The same object until the files change. Before they are read, only its `id` and `demand` are valid. */
  get terms(): ClientTerms {
    return this.#loaded.terms;
  }

  /** Reads all files. Throws HEMI_FILE or HEMI_CERTIFICATE for the first invalid one. */
  async load(): Promise<void> {
    await this.#watch.haveChanged();
    this.#loaded = await read(this.#named);
  }

  /** Reads the same files for a check, whatever is in use. Throws like `load`. */
  async readApart(): Promise<SiteFiles> {
    const other = new SiteFiles(this.#named);
    await other.load();
    return other;
  }

  /**
   * Reads the files again if they have changed, and returns whether they have. Throws like `load` for an invalid file;
   * the previous content stays in use then.
   */
  async refresh(): Promise<boolean> {
    if (!(await this.#watch.haveChanged())) return false;
    this.#loaded = await read(this.#named);
    return true;
  }
}

async function read({ tlsCert, tlsKey, tlsPassphrase, tlsClientCert, tlsClientCA }: NamedFiles): Promise<Loaded> {
  const files = tlsCert && { certs: tlsCert, keys: tlsKey ?? tlsCert, passphrase: tlsPassphrase };
  const certificates = files && (await readCertificates(files));
  if (certificates !== undefined) {
    const pairs = { cert: certificates.map(({ chain }) => chain), key: certificates.map(pemOfKey) };
    tryOut(
      certificates.map(({ file }) => file),
      pairs,
    );
  }
  if (tlsClientCert === undefined || tlsClientCert === "none") return { certificates, terms: noTerms };
  return { certificates, terms: clientTerms(tlsClientCert, await readAuthorities(tlsClientCA ?? [])) };
}
