// Certificates with their keys from PEM files: read, and checked as far as possible without a client.

import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { parseHostnamePattern } from "../../component/props/hostnames.ts";
import { PropError } from "../../component/prop-error.ts";
import { certificateTime } from "../../net/tls/certificate-time.ts";

/** The prop that names a file: an error is shown there. */
type FileProp = "tlsCert" | "tlsKey" | "tlsClientCA";

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
    const text = await readText("tlsCert", file, "certificate");
    const chain = certificatesIn("tlsCert", file, text);
    const keyText = keyFile === file ? text : await readText("tlsKey", keyFile, "key");
    const key = keyIn(keyFile, keyText, passphrase, keyFile === file);
    const [leaf] = chain;
    if (leaf === undefined) throw unusable("tlsCert", file, "holds no certificate");
    if (!leaf.checkPrivateKey(key)) {
      const place = chain.findIndex((other) => other.checkPrivateKey(key)) + 1;
      const advice =
        place > 0 ? `; the certificate that it fits is number ${place} of the file and has to be the first` : "";
      const reason = `is the certificate of another key than ${keyFile} holds${advice}`;
      throw unusable(place > 0 || keyFile === file ? "tlsCert" : "tlsKey", file, reason);
    }
    read.push({ file, chain: chain.map(String).join(""), key, leaf });
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
    const text = await readText("tlsClientCA", file, "certificate");
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

async function readText(prop: FileProp, file: string, what: "certificate" | "key"): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    throw new PropError(prop, "HEMI_FILE", `the ${what} ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function certificatesIn(prop: FileProp, file: string, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [^-]+-----\r?\n?/g) ?? [];
  if (blocks.length === 0) throw unusable(prop, file, `holds no certificate in PEM${likelyReason(text)}`);
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      const reason = `is broken: number ${i + 1} of its certificates cannot be read (${reasonOf(cause)})`;
      throw unusable(prop, file, reason, cause);
    }
  });
}

function keyIn(file: string, text: string, passphrase: string | undefined, isCertificate: boolean): KeyObject {
  const prop = isCertificate ? "tlsCert" : "tlsKey";
  const [key] = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [^-]+-----/s.exec(text) ?? [];
  if (key === undefined) {
    if (isCertificate)
      throw unusable(prop, file, "holds a certificate and no private key: set .tlsKey to the file of its key");
    throw unusable(prop, file, `holds no private key in PEM${likelyReason(text)}`);
  }
  try {
    return createPrivateKey(passphrase === undefined ? key : { key, passphrase });
  } catch (cause) {
    const isEncrypted = key.includes("ENCRYPTED");
    if (isEncrypted && passphrase === undefined)
      throw unusable(prop, file, "holds an encrypted key: set .tlsPassphrase", cause);
    if (isEncrypted) throw unusable(prop, file, "holds an encrypted key, and .tlsPassphrase does not open it", cause);
    throw unusable(prop, file, `holds a private key that cannot be read (${reasonOf(cause)})`, cause);
  }
}

/** What the file contains instead: detects the usual mix-ups. */
function likelyReason(text: string): string {
  if (text === "") return ": it is empty";
  if (text.startsWith("0\x82")) return ": it is in DER, which `openssl … -inform DER -outform PEM` turns into PEM";
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return ", but a private key: are .tlsCert and .tlsKey swapped?";
  if (text.includes("-----BEGIN CERTIFICATE-----")) return ", but a certificate: are .tlsCert and .tlsKey swapped?";
  if (text.includes("-----BEGIN CERTIFICATE REQUEST-----"))
    return ", but the request for one, which an authority has to sign";
  return "";
}

function unusable(prop: FileProp, file: string, reason: string, cause?: unknown): PropError {
  return new PropError(prop, "HEMI_CERTIFICATE", `${file} ${reason}`, { cause });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "this user may not read it";
  if (code === "EISDIR") return "it is a folder";
  return cause.message;
}
