// The certificates of a server with their keys: read, and judged by hostnames and time.

import type { KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { parseHostnamePattern } from "../../component/props/hostnames.ts";
import { certificateTime } from "../../net/tls/certificate-time.ts";
import { certificatesIn, pairIn, readPem } from "./pem.ts";

/** The files of certificates, as configured. */
export interface CertificateFiles {
  /** PEM: the certificate, then the chain to an authority. One file for each type of key. */
  readonly certs: readonly string[];
  /** The key of each, in the same order: PEM. */
  readonly keys: readonly string[];
  /** Of encrypted keys. */
  readonly passphrase: string | undefined;
}

/** One certificate with its key. */
export interface Certificate {
  readonly file: string;
  /** With its chain, in PEM. */
  readonly chain: string;
  readonly key: KeyObject;
  readonly leaf: X509Certificate;
}

/**
 * Reads all of the files. Throws HEMI_FILE for one that cannot be read, and HEMI_CERTIFICATE for what is in it: no PEM,
 * no certificate, no key, a key that is encrypted, or that is another certificate's. The errors blame `tlsCert` or
 * `tlsKey`.
 */
export async function readCertificates({ certs, keys, passphrase }: CertificateFiles): Promise<readonly Certificate[]> {
  const read: Certificate[] = [];
  for (const [i, file] of certs.entries()) {
    const keyFile = keys[i] ?? file;
    const text = await readPem("tlsCert", file, "certificate");
    const keyText = keyFile === file ? text : await readPem("tlsKey", keyFile, "key");
    const { chain, key, leaf } = pairIn({ certFile: file, certText: text, keyFile, keyText, passphrase });
    read.push({ file, chain, key, leaf });
  }
  return read;
}

/** The key of a certificate in the form that node:tls accepts: PEM. */
export function pemOfKey({ key }: Pick<Certificate, "key">): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Reads the certificates of authorities: PEM. Throws as `readCertificates` does, and blames `tlsClientCA`. */
export async function readAuthorities(files: readonly string[]): Promise<readonly string[]> {
  const read: string[] = [];
  for (const file of files) {
    const text = await readPem("tlsClientCA", file, "certificate");
    read.push(...certificatesIn("tlsClientCA", file, text).map(String));
  }
  return read;
}

/** A warning about a usable certificate: it is not valid at `now` (in milliseconds), or soon will not be. */
export function complaintOfAge({ file, leaf }: Certificate, now: number): string | undefined {
  const from = certificateTime(leaf.validFrom).getTime();
  const to = certificateTime(leaf.validTo).getTime();
  if (now > to) return `the certificate ${file} has expired, on ${leaf.validTo}: clients refuse it`;
  if (now < from) return `the certificate ${file} is not valid before ${leaf.validFrom}: clients refuse it`;
  const days = Math.floor((to - now) / day);
  return days < warnedDays ? `the certificate ${file} expires on ${leaf.validTo}, in ${days} days` : undefined;
}

/** Whether certificates cover at least one of the hostname patterns of a webapp. */
export function coversAny(certificates: readonly Certificate[], hostnames: readonly string[]): boolean {
  return hostnames.some((hostname) => certificates.some(({ leaf }) => covers(leaf, hostname)));
}

const day = 24 * 60 * 60 * 1000;

/**
 * Certificates should be renewed long before: authorities that issue them for 90 days advise renewal 30 days before
 * expiry.
 */
const warnedDays = 14;

function covers(leaf: X509Certificate, hostname: string): boolean {
  const pattern = parseHostnamePattern(hostname);
  switch (pattern?.type) {
    case "exact": {
      const address = pattern.hostname.replace(/^\[(.*)\]$/, "$1");
      if (isIP(address) !== 0) return leaf.checkIP(address) !== undefined;
      return leaf.checkHost(address) !== undefined;
    }
    case "suffix":
      return leaf.checkHost(`www.${pattern.suffix}`) !== undefined || leaf.checkHost(pattern.suffix) !== undefined;
    case "prefix":
      return leaf.subjectAltName?.includes(`DNS:${pattern.prefix}.`) === true;
    case "any":
      return true;
    case undefined:
      return false;
  }
}
