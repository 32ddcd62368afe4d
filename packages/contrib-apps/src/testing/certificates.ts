// For tests: certificates made on the spot, by an authority that only those trust who are told so.

// The certificates' library finds its parts by decorators, which need it.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from "@peculiar/x509";

cryptoProvider.set(webcrypto);

/** Both in PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface TestAuthority {
  /** In PEM. */
  readonly cert: string;
  /** A certificate for servers and clients; `name` is a hostname. */
  issue(name: string): Promise<CertifiedKey>;
}

export async function testAuthority(name = "Test Authority"): Promise<TestAuthority> {
  const keys = await makeKeys();
  const extensions = [new BasicConstraintsExtension(true, undefined, true)];
  const terms = { keys, ...validity(), signingAlgorithm, extensions };
  const issuer = await X509CertificateGenerator.createSelfSigned({ name: `CN=${name}`, ...terms });
  return { cert: issuer.toString("pem"), issue: (hostname) => issue(hostname, issuer, keys.privateKey) };
}

async function issue(name: string, issuer: X509Certificate, signingKey: webcrypto.CryptoKey): Promise<CertifiedKey> {
  const keys = await makeKeys();
  const cert = await X509CertificateGenerator.create({
    subject: `CN=${name},O=Test`,
    issuer: issuer.subject,
    ...validity(),
    signingKey,
    publicKey: keys.publicKey,
    signingAlgorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: cert.toString("pem"), key: PemConverter.encode(pkcs8, "PRIVATE KEY") };
}

const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
}

const hour = 60 * 60 * 1000;

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 24 * hour) };
}
