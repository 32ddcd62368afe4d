// hostnames: patterns of hostnames, and their grammar.

import { isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { listType } from "./collections.ts";
import type { CountBounds } from "./collections.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** A pattern in lower case, without a trailing dot. */
export type HostnamePattern =
  /** `shop.example`, `127.0.0.1`, `[::1]` */
  | { readonly type: "exact"; readonly hostname: string }
  /** `*.shop.example`: `suffix` is `shop.example`. The star matches one or more labels. */
  | { readonly type: "suffix"; readonly suffix: string }
  /** `shop.*`: `prefix` is `shop`. */
  | { readonly type: "prefix"; readonly prefix: string }
  /** `*` */
  | { readonly type: "any" };

/** The forms of a pattern, for messages. */
export const hostnameForms = 'a hostname, "*.suffix", "prefix.*" or "*"';

/** Returns `undefined` for an invalid pattern. A trailing dot is ignored, as in the authority of a request. */
export function parseHostnamePattern(text: string): HostnamePattern | undefined {
  const pattern = text.toLowerCase();
  if (pattern === "*") return { type: "any" };
  if (pattern.startsWith("[")) return isIPv6Literal(pattern) ? { type: "exact", hostname: pattern } : undefined;
  if (pattern.endsWith(".*")) {
    const prefix = pattern.slice(0, -2);
    return isHostname(prefix) ? { type: "prefix", prefix } : undefined;
  }
  const name = pattern.endsWith(".") ? pattern.slice(0, -1) : pattern;
  if (!name.startsWith("*.")) return isHostname(name) ? { type: "exact", hostname: name } : undefined;
  const suffix = name.slice(2);
  return isHostname(suffix) ? { type: "suffix", suffix } : undefined;
}

/**
 * Labels of at most 63 letters, digits, `-` and `_`, 253 characters in total (RFC 1035 2.3.4). The RFC does not allow
 * `_`, but it is in use.
 */
export function isHostname(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(text);
}

const hostnameType: PropType<string> = {
  name: "hostname",
  takes: hostnameForms,
  read(value, label, reader) {
    const pattern = value.type === "string" ? parseHostnamePattern(value.value) : undefined;
    if (pattern !== undefined) return patternText(pattern);
    return refuse(this, value, label, reader, value.type === "string" ? hintForHostname(value.value) : undefined);
  },
  jsonSchema: () => ({ type: "string", minLength: 1 }),
};

function hintForHostname(text: string): string | undefined {
  if (text.startsWith(".") && isHostname(text.slice(1))) {
    return `write "*${text}" for what is below it, and "${text.slice(1)}" for itself`;
  }
  return hintForUnicode(text) ?? hintForURL(text);
}

/** Clients send names of other letters in ASCII (RFC 5891). */
function hintForUnicode(text: string): string | undefined {
  const [, star = "", name = ""] = /^(\*\.)?(.*)$/.exec(text) ?? [];
  const ascii = domainToASCII(name);
  const isUnicode = /[^\0-\x7f]/.test(name) && isHostname(ascii);
  return isUnicode ? `clients send this name in ASCII: write "${star}${ascii}"` : undefined;
}

/** A hint for users who write a URL, or the part of it that a browser shows: the hostname in it, if any. */
function hintForURL(text: string): string | undefined {
  const [, scheme, name = "", port] = /^(\w+:\/\/)?([^/:]+|\[[^\]]*\])(:\d*)?(?:\/.*)?$/.exec(text) ?? [];
  if (parseHostnamePattern(name) === undefined) return undefined;
  const surplus = scheme !== undefined ? "a scheme" : port !== undefined ? "a port" : "a path";
  return `a hostname has no scheme, port or path, and this has ${surplus}: write "${name}"`;
}

/** Patterns of hostnames: exact names, `*.suffix`, `prefix.*`, and `*` for all. Case-insensitive. */
export const hostnames = propMaker<readonly string[], readonly string[], CountBounds>((bounds) => ({
  ...listType(hostnameType, "a list of hostnames", bounds),
  name: "hostnames",
}));

function patternText(pattern: HostnamePattern): string {
  switch (pattern.type) {
    case "exact":
      return pattern.hostname;
    case "suffix":
      return `*.${pattern.suffix}`;
    case "prefix":
      return `${pattern.prefix}.*`;
    case "any":
      return "*";
  }
}

/** A zone, as in `[fe80::1%eth0]`, has a meaning on the client's machine only (RFC 6874). */
function isIPv6Literal(text: string): boolean {
  return text.endsWith("]") && !text.includes("%") && isIPv6(text.slice(1, -1));
}
