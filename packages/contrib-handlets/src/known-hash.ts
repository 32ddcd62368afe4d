// Hashes of passwords in all forms that basicAuth knows: that of scrypt, which is its own, and those of htpasswd.

import { randomBytes } from "node:crypto";
import type { HtpasswdThread } from "./htpasswd-thread.ts";
import { costOf, decoyOf, parsePasswordHash, verifyPassword, type PasswordHash } from "./password-hash.ts";

export type KnownHash =
  | { readonly form: "scrypt"; readonly hash: PasswordHash }
  | { readonly form: "bcrypt" | "apr1"; readonly text: string };

/** `undefined` for what is none of them, and for one that costs more than a request may: bcrypt above 15. */
export function parseKnownHash(text: string): KnownHash | undefined {
  const scrypt = parsePasswordHash(text);
  if (scrypt !== undefined) return { form: "scrypt", hash: scrypt };
  if (bcryptForm.test(text)) return { form: "bcrypt", text };
  return apr1Form.test(text) ? { form: "apr1", text } : undefined;
}

/** Takes as long for a wrong password as for the right one. */
export async function verifyKnown(password: string, known: KnownHash, thread: HtpasswdThread): Promise<boolean> {
  if (known.form === "scrypt") return verifyPassword(password, known.hash);
  return thread.verify(password.normalize("NFC"), known.text);
}

/** What the time of a verification is in proportion to: measured in steps of scrypt, about, for the other forms. */
export function costOfKnown(known: KnownHash): number {
  if (known.form === "scrypt") return costOf(known.hash);
  return known.form === "bcrypt" ? 256 * 2 ** Number(known.text.slice(4, 6)) : 4096;
}

/** A hash of the same form and cost that no password is known for. */
export function decoyOfKnown(known: KnownHash): KnownHash {
  if (known.form === "scrypt") return { form: "scrypt", hash: decoyOf(known.hash) };
  if (known.form === "apr1") return { form: "apr1", text: `$apr1$${letters(8)}$${letters(22)}` };
  // The last letters of salt and hash stand for fewer bits than six: a dot is right in both places.
  return { form: "bcrypt", text: `${known.text.slice(0, 7)}${letters(21)}.${letters(30)}.` };
}

/**
 * The versions differ in mistakes of the programs that wrote them, which bcryptjs knows. `$2x$` is one of those
 * mistakes.
 */
const bcryptForm = /^\$2[aby]\$(?:0[4-9]|1[0-5])\$[./0-9A-Za-z]{53}$/;

/** Apache's MD5, a thousand times (apr_md5.c). */
const apr1Form = /^\$apr1\$[./0-9A-Za-z]{1,8}\$[./0-9A-Za-z]{22}$/;

function letters(count: number): string {
  return randomBytes(count).toString("base64").replaceAll("+", ".").slice(0, count);
}
