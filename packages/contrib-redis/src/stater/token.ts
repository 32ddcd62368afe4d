// The tokens of sessions in Redis.
//
//   token: base64url of  id (16 bytes)  and of  secret (32 bytes)
//          names the key in Redis       its hash is in Redis, and rotation replaces it
//
// A token of another form, which a framework has made, is all secret: its id is derived from it.

import { hash, randomBytes } from "node:crypto";

/** What the client has of a session. */
export interface Token {
  /** As the client has it. */
  readonly text: string;
  /** Names the key in Redis. */
  readonly id: string;
  /** SHA-256: whoever reads Redis cannot use its sessions. */
  readonly digest: string;
}

/** `undefined`: nobody has got such a token from here. */
export function parseToken(token: string): Token | undefined {
  if (!/^[\w-]{22,128}$/.test(token)) return undefined;
  const id = token.length === ownLength ? token : digestOf(`id ${token}`);
  return { text: token, id: id.slice(0, idLength), digest: digestOf(token) };
}

/** A session that is new has it. */
export function newToken(): string {
  return randomBytes(16).toString("base64url") + newSecret();
}

/** Another one of the same session. */
export function rotatedToken({ id }: Token): Token {
  const text = id + newSecret();
  return { text, id, digest: digestOf(text) };
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64url");
}

/** Of 16 bytes as base64url. */
const idLength = 22;
/** Of a token that was made here, with 32 bytes more. */
const ownLength = 65;
