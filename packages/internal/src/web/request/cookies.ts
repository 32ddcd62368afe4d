// Parses `Cookie` fields and formats `Set-Cookie` fields. The library implements the grammar; this file adds the rules
// of browsers.

import { parseCookie, stringifySetCookie } from "cookie";
import { HemiError } from "../../errors/hemi-error.ts";

/** By name. Without a prototype, so that `constructor` is an ordinary name. */
export type Cookies = Readonly<Record<string, string | undefined>>;

/** The attributes of a cookie (RFC 6265 section 4.1.2 and its successor draft, rfc6265bis). */
export interface CookieOptions {
  /**
   * Lifetime in seconds, an integer; 0 or less deletes the cookie. Takes precedence over `expires`. Without both, the
   * cookie lives as long as the browser's session.
   */
  readonly maxAge?: number;
  /** The end of its lifetime; `maxAge` takes precedence. */
  readonly expires?: Date;
  /** Default: `/`. */
  readonly path?: string;
  /** Default: the responding host, without its subdomains. */
  readonly domain?: string;
  /** Sent over https only. Default: false. */
  readonly secure?: boolean;
  /** Hidden from scripts. Default: false. */
  readonly httpOnly?: boolean;
  /** Default: not sent, which browsers treat as `lax`. `none` requires `secure`. */
  readonly sameSite?: "strict" | "lax" | "none";
  /** Whether it is separate for each top-level site (CHIPS). Requires `secure`. Default: false. */
  readonly partitioned?: boolean;
}

/**
 * Parses a `Cookie` field; join several fields with `; ` first (RFC 9113 section 8.2.3). Values are percent-decoded if
 * the result is valid text, otherwise kept unchanged. Of two cookies with the same name, the first is used: browsers
 * send the one with the longer path first.
 */
export function parseCookies(field: string): Cookies {
  return parseCookie(field);
}

/**
 * Formats the value of a `Set-Cookie` field, with percent-encoding where needed. Throws `HEMI_BAD_FIELD` for an invalid
 * name or attribute, and for cookies that browsers would silently drop: the prefixes `__Secure-` and `__Host-` without
 * their requirements, `sameSite: "none"` or `partitioned` without `secure`.
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

/** The grammar of RFC 6265 section 4.1.1. The library would also accept other characters, such as `(`. */
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
