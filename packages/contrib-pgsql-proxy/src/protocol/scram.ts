// SCRAM-SHA-256, both sides (RFC 5802, RFC 7677), as PostgreSQL uses it: without channel binding, and with the name of
// the user in the first message of the session instead.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/** What a server needs of a password. It does not reveal the password. */
export interface Verifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, as in `pg_authid`; `undefined` for what is no verifier. */
export function parseVerifier(text: string): Verifier | undefined {
  const [, iterations, salt, stored, server] =
    /^SCRAM-SHA-256\$(\d{1,7}):([\w+/=]+)\$([\w+/]{43}=):([\w+/]{43}=)$/.exec(text) ?? [];
  if (iterations === undefined || salt === undefined || stored === undefined || server === undefined) return undefined;
  const bytes = (base64: string): Buffer => Buffer.from(base64, "base64");
  return { iterations: Number(iterations), salt: bytes(salt), storedKey: bytes(stored), serverKey: bytes(server) };
}

/** Of a password in plain text. Takes some milliseconds. */
export function verifierOf(password: string, iterations = 4096, salt: Buffer = randomBytes(16)): Verifier {
  const { clientKey, serverKey } = keysOf(password, salt, iterations);
  return { iterations, salt, storedKey: sha256(clientKey), serverKey };
}

/** The side of a server, with one client. */
export class ScramServer {
  readonly #verifier: Verifier;
  #firstBare = "";
  #serverFirst = "";
  #nonce = "";

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  /** The reply to the first message of the client; `undefined`: it is malformed. */
  first(clientFirst: string): string | undefined {
    const [, bare, nonce] = /^[ny],(?:a=[^,]*)?,(n=[^,]*,r=([!-+\--~]{8,256}))$/.exec(clientFirst) ?? [];
    if (bare === undefined || nonce === undefined) return undefined;
    this.#firstBare = bare;
    this.#nonce = nonce + randomBytes(18).toString("base64");
    const { salt, iterations } = this.#verifier;
    this.#serverFirst = `r=${this.#nonce},s=${salt.toString("base64")},i=${iterations}`;
    return this.#serverFirst;
  }

  /** The proof of the server; `undefined`: the password is wrong. */
  final(clientFinal: string): string | undefined {
    const [, withoutProof, nonce, proof] = /^(c=[\w+/=]+,r=([!-+\--~]+)),p=([\w+/]{43}=)$/.exec(clientFinal) ?? [];
    if (withoutProof === undefined || proof === undefined || nonce !== this.#nonce) return undefined;
    const authMessage = `${this.#firstBare},${this.#serverFirst},${withoutProof}`;
    const { storedKey, serverKey } = this.#verifier;
    const clientKey = xor(Buffer.from(proof, "base64"), hmac(storedKey, authMessage));
    if (!timingSafeEqual(sha256(clientKey), storedKey)) return undefined;
    return `v=${hmac(serverKey, authMessage).toString("base64")}`;
  }
}

/** The side of a client, with one server. */
export class ScramClient {
  readonly #password: string;
  readonly #nonce = randomBytes(18).toString("base64");
  #expected = "";

  constructor(password: string) {
    this.#password = password;
  }

  get first(): string {
    return `n,,n=,r=${this.#nonce}`;
  }

  /** `undefined`: the message of the server is malformed, or not for us. */
  final(serverFirst: string): string | undefined {
    const [, nonce, salt, count] = /^r=([!-+\--~]+),s=([\w+/=]+),i=(\d{1,7})$/.exec(serverFirst) ?? [];
    if (nonce?.startsWith(this.#nonce) !== true || salt === undefined) return undefined;
    const iterations = Number(count);
    // A server could hold us up for minutes otherwise.
    if (iterations < 1 || iterations > maxIterations) return undefined;
    const { clientKey, serverKey } = keysOf(this.#password, Buffer.from(salt, "base64"), iterations);
    const withoutProof = `c=biws,r=${nonce}`;
    const authMessage = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    this.#expected = `v=${hmac(serverKey, authMessage).toString("base64")}`;
    return `${withoutProof},p=${xor(clientKey, hmac(sha256(clientKey), authMessage)).toString("base64")}`;
  }

  /** Whether the server knows the password, too. */
  isProof(serverFinal: string): boolean {
    return this.#expected !== "" && serverFinal === this.#expected;
  }
}

function keysOf(password: string, salt: Buffer, iterations: number) {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  return { clientKey: hmac(salted, "Client Key"), serverKey: hmac(salted, "Server Key") };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

/** PostgreSQL uses 4096. */
const maxIterations = 100_000;
