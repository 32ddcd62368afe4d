// Apache's own form of hashes, $apr1$: MD5, a thousand times, in the order of steps of FreeBSD's crypt (Apache's
// apr_md5.c).
//
//   $apr1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0
//         salt     hash, in an alphabet of its own

import { createHash } from "node:crypto";

export interface Apr1Hash {
  readonly salt: string;
  /** 22 characters. */
  readonly hash: string;
}

/** `undefined` for what is no such hash. */
export function parseApr1Hash(text: string): Apr1Hash | undefined {
  const [, salt, hash] = /^\$apr1\$([./0-9A-Za-z]{1,8})\$([./0-9A-Za-z]{22})$/.exec(text) ?? [];
  return salt === undefined || hash === undefined ? undefined : { salt, hash };
}

/** The last 22 characters of what `htpasswd -m` writes. Takes about a millisecond. */
export function apr1(password: string, salt: string): string {
  const key = Buffer.from(password);
  const inner = md5(key, salt, key);
  const first: (string | Uint8Array)[] = [key, "$apr1$", salt];
  for (let left = key.length; left > 0; left -= 16) first.push(inner.subarray(0, Math.min(16, left)));
  // One of them for each bit of the length; the first byte of a buffer that is zero by then, or of the password.
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? zero : key.subarray(0, 1));
  let digest = md5(...first);
  for (let round = 0; round < 1000; round++) {
    const isOdd = (round & 1) === 1;
    const parts: (string | Uint8Array)[] = [isOdd ? key : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(key);
    parts.push(isOdd ? digest : key);
    digest = md5(...parts);
  }
  return encode(digest);
}

function md5(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/**
 * Bytes of the digest by threes, in this order, as four letters of six bits each, the lowest first; the last byte alone
 * as two.
 */
function encode(digest: Uint8Array): string {
  let text = "";
  for (const [high, middle, low] of threes) {
    text += letters(((digest[high] ?? 0) << 16) | ((digest[middle] ?? 0) << 8) | (digest[low] ?? 0), 4);
  }
  return text + letters(digest[11] ?? 0, 2);
}

const threes = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

function letters(bits: number, count: number): string {
  let text = "";
  for (let i = 0; i < count; i++) text += alphabet.charAt((bits >> (6 * i)) & 63);
  return text;
}

const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const zero = new Uint8Array(1);
