// Passwords as a configuration keeps them: hashed by scrypt (RFC 7914), written in the manner of PHC strings.
//
//   $scrypt$ln=15,r=8,p=3$fuU6Khs5Qf1iVdl4m0FJHQ$eCVo6FAD1Fva0hAoAbwE1kBbBGi7rHcjJxNBUl3cIqY
//           log2 of N     salt, base64           hash, base64, both without padding

import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** What a hash costs to work out: `128 * r * 2^ln` bytes, and time in proportion to that and to `p`. */
export interface ScryptCost {
  /** The binary logarithm of N. Default: 15. */
  readonly ln?: number;
  /** Default: 8. */
  readonly r?: number;
  /** Default: 3. */
  readonly p?: number;
}

export interface PasswordHash extends Required<ScryptCost> {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/**
 * Hashes a password for `basicAuth`. The default cost is one of those that OWASP recommends: 32 MiB, and 100 to 300 ms
 * of one core. Rejects with a RangeError for a cost that `parsePasswordHash` would refuse.
 */
export async function hashPassword(password: string, { ln = 15, r = 8, p = 3 }: ScryptCost = {}): Promise<string> {
  if (!isBearable({ ln, r, p }))
    throw new RangeError(`scrypt with ln=${ln}, r=${r}, p=${p} costs too little or too much`);
  const salt = randomBytes(16);
  const hash = await derive(password, { ln, r, p, salt, hash: new Uint8Array(32) });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${toBase64(salt)}$${toBase64(hash)}`;
}

/** `undefined` for what is no such hash, and for one whose cost no request may have: above 256 MiB, or `p` above 16. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt, hash] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (!isBearable(cost)) return undefined;
  return { ...cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

/** Takes as long for a wrong password as for the right one. */
export async function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

/** In blocks of memory that are written and read: what the time of a verification is in proportion to. */
export function costOf({ ln, r, p }: Required<ScryptCost>): number {
  return 2 ** ln * r * p;
}

/** A hash of the same cost that no password has. */
export function decoyOf({ ln, r, p, hash }: PasswordHash): PasswordHash {
  return { ln, r, p, salt: randomBytes(16), hash: randomBytes(hash.length) };
}

function isBearable({ ln, r, p }: Required<ScryptCost>): boolean {
  const areWhole = [ln, r, p].every((number) => Number.isInteger(number) && number >= 1);
  return areWhole && p <= 16 && 128 * r * 2 ** ln <= 256 * 1024 * 1024;
}

function derive(password: string, { ln, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const N = 2 ** ln;
  // OpenSSL counts a little more than the table itself.
  const maxmem = 128 * r * (N + p + 8);
  return new Promise((resolve, reject) => {
    // One password may be typed as several sequences of code points (RFC 8265 4.2.2).
    scrypt(password.normalize("NFC"), salt, hash.length, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
