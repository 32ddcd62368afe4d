// What PEM files of TLS hold: read, and checked as far as possible without a peer. Errors blame the prop that names the
// file: HEMI_FILE if it cannot be read, and HEMI_CERTIFICATE for what is in it.

import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { PropError } from "../../component/prop-error.ts";

/** The prop that names a file. */
type FileProp = "tlsCert" | "tlsKey" | "tlsClientCA" | "tlsCA" | "serverCa";

/** A certificate file, with the file of its key, which may be the same. */
export interface PairOfFiles {
  readonly certFile: string;
  readonly certText: string;
  readonly keyFile: string;
  readonly keyText: string;
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined;
  /** There is no prop for a passphrase. Default: false. */
  readonly takesNone?: boolean;
}

/** The content of such files. */
export interface CertificatePair {
  /** With the chain, in PEM. */
  readonly chain: string;
  readonly key: KeyObject;
  readonly leaf: X509Certificate;
}

/** Reads a file, as latin1: PEM is ASCII. */
export async function readPem(prop: FileProp, file: string, what: "certificate" | "key"): Promise<string> {
  try {
    return await readFile(file, "latin1");
  } catch (cause) {
    throw unreadable(prop, file, what, cause);
  }
}

/** The same with a synchronous read, for small files at boot. */
function readPemSync(prop: FileProp, file: string, what: "certificate" | "key"): string {
  try {
    return readFileSync(file, "latin1");
  } catch (cause) {
    throw unreadable(prop, file, what, cause);
  }
}

/** Reads the certificates of authorities: their file, once it is checked. node:tls ignores what is no certificate. */
export function readAuthoritiesSync(prop: "tlsCA" | "serverCa", file: string): string {
  const text = readPemSync(prop, file, "certificate");
  certificatesIn(prop, file, text);
  return text;
}

/** Reads a pair at once, for which there is no prop for a passphrase, and returns it if node:tls can use it. */
export function readPairSync(certFile: string, keyFile: string): { readonly cert: string; readonly key: string } {
  const certText = readPemSync("tlsCert", certFile, "certificate");
  const keyText = keyFile === certFile ? certText : readPemSync("tlsKey", keyFile, "key");
  pairIn({ certFile, certText, keyFile, keyText, takesNone: true });
  tryOut([certFile], { cert: certText, key: keyText });
  return { cert: certText, key: keyText };
}

/** Finds problems that only OpenSSL detects, such as a key that is too small, before any handshake. */
export function tryOut(files: readonly string[], pairs: Pick<SecureContextOptions, "cert" | "key">): void {
  try {
    createSecureContext(pairs);
  } catch (cause) {
    throw unusable("tlsCert", files.join(" and "), `cannot be used: ${reasonOf(cause)}`, cause);
  }
}

/** Throws for a certificate or key that cannot be read, for one that is encrypted, and for those of another pair. */
export function pairIn(files: PairOfFiles): CertificatePair {
  const { certFile, certText, keyFile } = files;
  const chain = certificatesIn("tlsCert", certFile, certText);
  const key = keyIn(files);
  const [leaf] = chain;
  if (leaf === undefined) throw unusable("tlsCert", certFile, "holds no certificate");
  if (!leaf.checkPrivateKey(key)) {
    const place = chain.findIndex((other) => other.checkPrivateKey(key)) + 1;
    const advice =
      place > 0 ? `; the certificate that it fits is number ${place} of the file and has to be the first` : "";
    const reason = `is the certificate of another key than ${keyFile} holds${advice}`;
    throw unusable(place > 0 || keyFile === certFile ? "tlsCert" : "tlsKey", certFile, reason);
  }
  return { chain: chain.map(String).join(""), key, leaf };
}

/** All certificates of a file: at least one. */
export function certificatesIn(prop: FileProp, file: string, text: string): X509Certificate[] {
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

function keyIn({ certFile, keyFile: file, keyText: text, passphrase, takesNone = false }: PairOfFiles): KeyObject {
  const isCertificate = file === certFile;
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
    if (isEncrypted && takesNone)
      throw unusable(prop, file, "holds an encrypted key: store it without a passphrase", cause);
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

function unreadable(prop: FileProp, file: string, what: string, cause: unknown): PropError {
  return new PropError(prop, "HEMI_FILE", `the ${what} ${file} cannot be read: ${reasonOf(cause)}`, { cause });
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
