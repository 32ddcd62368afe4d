// hostnames: patterns of hostnames, and the one grammar that they have.

import { isIPv6 } from "node:net";
import { listType } from "./collections.ts";
import type { CountBounds } from "./collections.ts";
import { propMaker } from "./prop-type.ts";
import type { PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";

/** A pattern in lower case, without a trailing dot. */
export type HostnamePattern =
  /** `shop.example`, `127.0.0.1`, `[::1]` */
  | { readonly type: "exact"; readonly hostname: string }
  /** `*.shop.example`: `suffix` is `shop.example`. Any number of labels may stand in the star's place, but not none. */
  | { readonly type: "suffix"; readonly suffix: string }
  /** `shop.*`: `prefix` is `shop`. */
  | { readonly type: "prefix"; readonly prefix: string }
  /** `*` */
  | { readonly type: "any" };

/** What a pattern looks like, for messages. */
export const hostnameForms = 'a hostname, "*.suffix", "prefix.*" or "*"';

/** `undefined` for what is no pattern. A dot at the end of a name means nothing, as in the authority of a request. */
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

/** Letters, digits, `-` and `_` in labels of at most 63 characters, 253 in all (RFC 1035 2.3.4); `_` is not theirs, but is in use. */
export function isHostname(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(text);
}

const hostnameType: PropType<string> = {
  name: "hostname",
  takes: hostnameForms,
  read(value, label, reader) {
    const pattern = value.type === "string" ? parseHostnamePattern(value.value) : undefined;
    if (pattern !== undefined) return patternText(pattern);
    return refuse(this, value, label, reader, value.type === "string" ? hintForURL(value.value) : undefined);
  },
  jsonSchema: () => ({ type: "string", minLength: 1 }),
};

/** For who writes a URL, or what a browser shows of it: the hostname in it, where there is one. */
function hintForURL(text: string): string | undefined {
  const [, scheme, name = "", port] = /^(\w+:\/\/)?([^/:]+|\[[^\]]*\])(:\d*)?(?:\/.*)?$/.exec(text) ?? [];
  if (parseHostnamePattern(name) === undefined) return undefined;
  const surplus = scheme !== undefined ? "a scheme" : port !== undefined ? "a port" : "a path";
  return `a hostname has no scheme, port or path, and this has ${surplus}: write "${name}"`;
}

/** Patterns of hostnames: exact ones, `*.suffix`, `prefix.*`, and `*` for all. Case does not count. */
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

/** A zone, as in `[fe80::1%eth0]`, is of meaning on the client's machine only (RFC 6874). */
function isIPv6Literal(text: string): boolean {
  return text.endsWith("]") && !text.includes("%") && isIPv6(text.slice(1, -1));
}
