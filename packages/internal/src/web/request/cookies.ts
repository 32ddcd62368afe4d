// Cookies: what a `Cookie` field holds, and what a `Set-Cookie` field says. The grammar is the library's; the rules
// that browsers add are ours.

import { parseCookie, stringifySetCookie } from "cookie";
import { HemiError } from "../../errors/hemi-error.ts";

/** By name. It has no prototype: `constructor` is a name like any other. */
export type Cookies = Readonly<Record<string, string | undefined>>;

/** The attributes of a cookie that is set (RFC 6265 section 4.1.2 and its successor draft, rfc6265bis). */
export interface CookieOptions {
  /**
   * Seconds from now, whole; 0 or less deletes the cookie. It wins over `expires`. Without both, it lives as long as
   * the browser's session.
   */
  readonly maxAge?: number;
  /** When it ends; `maxAge` wins over it. */
  readonly expires?: Date;
  /** Default: `/`. */
  readonly path?: string;
  /** Default: the host that answers, without its subdomains. */
  readonly domain?: string;
  /** Sent over https only. Default: false. */
  readonly secure?: boolean;
  /** Hidden from scripts. Default: false. */
  readonly httpOnly?: boolean;
  /** Default: none is sent, which browsers take for `lax`. `none` demands `secure`. */
  readonly sameSite?: "strict" | "lax" | "none";
  /** Kept apart for each top-level site (CHIPS). Demands `secure`. Default: false. */
  readonly partitioned?: boolean;
}

/**
 * Reads a `Cookie` field; several of them are joined by `; ` first (RFC 9113 section 8.2.3). Values are percent-decoded
 * where that gives valid text, and kept as they are where not. Of two cookies with one name the first counts: browsers
 * send the one with the longer path first.
 */
export function parseCookies(field: string): Cookies {
  return parseCookie(field);
}

/**
 * Writes the value of a `Set-Cookie` field; what a cookie cannot hold is percent-encoded. Throws `HEMI_BAD_FIELD` for a
 * bad name or attribute, and for what browsers would drop without a word: the prefixes `__Secure-` and `__Host-`
 * without what they promise, `sameSite: "none"` or `partitioned` without `secure`.
 */
export function serializeCookie(name: string, value: string, options: CookieOptions = {}): string {
  checkCookie(name, options);
  try {
    return stringifySetCookie({ path: "/", ...options, name, value });
  } catch (error) {
    throw new HemiError(
      "HEMI_BAD_FIELD",
      `the cookie ${JSON.stringify(name)} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** The grammar of RFC 6265 section 4.1.1; the library would also let `;`-free oddities such as `(` pass. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function checkCookie(name: string, options: CookieOptions): void {
  const prefix = name.toLowerCase();
  const isHost = prefix.startsWith("__host-");
  if (!token.test(name)) refuse(name, "its name holds a character that it may not hold");
  if ((isHost || prefix.startsWith("__secure-")) && options.secure !== true)
    refuse(name, "its prefix demands secure: true");
  if (isHost && options.domain !== undefined) refuse(name, "its prefix forbids a domain");
  if (isHost && (options.path ?? "/") !== "/") refuse(name, `its prefix demands path: "/"`);
  if (options.sameSite === "none" && options.secure !== true) refuse(name, `sameSite: "none" demands secure: true`);
  if (options.partitioned === true && options.secure !== true) refuse(name, "partitioned demands secure: true");
}

function refuse(name: string, reason: string): never {
  throw new HemiError("HEMI_BAD_FIELD", `the cookie ${JSON.stringify(name)} cannot be set: ${reason}`);
}
