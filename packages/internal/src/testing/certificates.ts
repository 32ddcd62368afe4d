// For tests: certificates made on the spot, so that no private key lies in the repository and no clock ever makes a
// test fail.

// The certificates' library finds its parts by decorators, which need it.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from "@peculiar/x509";

cryptoProvider.set(webcrypto);

export interface CertificateRequest {
  /**
   * Hostnames (`*.shop.example` too) and IP addresses that it covers, as alternative names of the subject. Default:
   * none.
   */
  readonly names?: readonly string[];
  /** Default: `CN=` with the first of the names. */
  readonly subject?: string;
  /** Default: `EC`, P-256. */
  readonly key?: "EC" | "RSA";
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in a year. */
  readonly notAfter?: Date;
}

/** Both in PEM, the key in PKCS #8. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** An authority whose certificates only those trust who are told `cert`. */
export class TestAuthority {
  /** In PEM. */
  readonly cert: string;
  readonly #issuer: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(issuer: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#issuer = issuer;
    this.#keys = keys;
    this.cert = issuer.toString("pem");
  }

  static async create(name = "Test Authority"): Promise<TestAuthority> {
    const keys = await makeKeys("EC");
    const issuer = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      ...validity({}),
      keys,
      signingAlgorithm,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(issuer, keys);
  }

  /** A certificate for servers and clients. */
  async issue(request: CertificateRequest): Promise<CertifiedKey> {
    const { names = [], key = "EC" } = request;
    const keys = await makeKeys(key);
    const cert = await X509CertificateGenerator.create({
      subject: request.subject ?? `CN=${names[0] ?? "test"}`,
      issuer: this.#issuer.subject,
      ...validity(request),
      signingKey: this.#keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm,
      extensions: [
        new BasicConstraintsExtension(false),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]),
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names.map(alternativeName))]),
      ],
    });
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { cert: cert.toString("pem"), key: PemConverter.encode(pkcs8, "PRIVATE KEY") };
  }
}

/** The authority of this test process, made when first asked for. */
export function testAuthority(): Promise<TestAuthority> {
  return (shared ??= TestAuthority.create());
}

let shared: Promise<TestAuthority> | undefined;

/** A folder for certificates and keys, which goes when it is disposed. */
export interface CertificateFolder extends AsyncDisposable {
  readonly path: string;
  /** Writes a file, over the one that is there, and gives its path. */
  write(name: string, pem: string): Promise<string>;
  /** Issues a certificate into `NAME.crt` and `NAME.key`, by the authority of the process unless another is given. */
  issue(name: string, request: CertificateRequest, authority?: TestAuthority): Promise<IssuedFiles>;
}

/** Paths, by the names of the props that take them. */
export interface IssuedFiles {
  readonly tlsCert: string;
  readonly tlsKey: string;
}

export async function certificateFolder(): Promise<CertificateFolder> {
  const path = await mkdtemp(join(tmpdir(), "hemi-certificates-"));
  const write = async (name: string, pem: string): Promise<string> => {
    const file = join(path, name);
    await writeFile(file, pem, "latin1");
    return file;
  };
  return {
    path,
    write,
    async issue(name, request, authority) {
      const { cert, key } = await (authority ?? (await testAuthority())).issue(request);
      return { tlsCert: await write(`${name}.crt`, cert), tlsKey: await write(`${name}.key`, key) };
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** The authority's keys are EC keys; so this is how all is signed. */
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

function makeKeys(type: "EC" | "RSA"): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(
    type === "EC"
      ? { name: "ECDSA", namedCurve: "P-256" }
      : {
          name: "RSASSA-PKCS1-v1_5",
          hash: "SHA-256",
          modulusLength: 2048,
          publicExponent: Uint8Array.of(1, 0, 1),
        },
    true,
    ["sign", "verify"],
  );
}

const hour = 60 * 60 * 1000;

function validity({ notBefore, notAfter }: CertificateRequest): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: notBefore ?? new Date(Date.now() - hour),
    notAfter: notAfter ?? new Date(Date.now() + 365 * 24 * hour),
  };
}

function alternativeName(name: string): { type: "ip" | "dns"; value: string } {
  return { type: isIP(name) === 0 ? "dns" : "ip", value: name };
}
