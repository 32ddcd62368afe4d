// Proofs that somebody knows a password ("Authentication Methods").

import { constants, createHash, publicEncrypt, randomBytes } from "node:crypto";
import { scrambleSize } from "./handshake.ts";

/** Methods of authentication that the proxy itself speaks. */
export const plugins = { native: "mysql_native_password", sha2: "caching_sha2_password" } as const;

/** Neither zero, which would end it, nor `$`, as in servers. */
export function newScramble(): Buffer {
  const letters = randomBytes(scrambleSize).map((byte) => {
    const letter = byte & 0x7f;
    return letter === 0 || letter === 36 ? letter + 1 : letter;
  });
  return Buffer.from(letters);
}

/** `undefined`: the method is none of `plugins`. An empty password has an empty proof. */
export function proofOf(plugin: string, password: string, scramble: Buffer): Buffer | undefined {
  if (plugin !== plugins.native && plugin !== plugins.sha2) return undefined;
  if (password === "") return Buffer.alloc(0);
  const isNative = plugin === plugins.native;
  const hash = (...pieces: readonly Buffer[]): Buffer =>
    createHash(isNative ? "sha1" : "sha256")
      .update(Buffer.concat(pieces))
      .digest();
  const once = hash(Buffer.from(password));
  const twice = hash(once);
  return xored(once, isNative ? hash(scramble, twice) : hash(twice, scramble));
}

/** A password for a server that is not reached by TLS, with the public key that the server has sent, in PEM. */
export function encryptedPassword(password: string, scramble: Buffer, publicKey: Buffer): Buffer {
  const key = { key: publicKey.toString("latin1"), padding: constants.RSA_PKCS1_OAEP_PADDING };
  return publicEncrypt(key, xored(Buffer.from(`${password}\0`), scramble));
}

/** The second one is repeated as often as it takes. */
function xored(bytes: Buffer, by: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ (by[i % by.length] ?? 0)));
}
