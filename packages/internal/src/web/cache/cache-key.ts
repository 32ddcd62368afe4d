// What a response is found by, and by what URL it is purged.

import { compileTemplate, variablesOf, type Template } from "../../component/template.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { webVariables } from "../conditions/variables.ts";
import type { Request } from "../request/request.ts";
import { askedRequest } from "./asked-request.ts";
import type { PurgeSelector } from "./cacher.ts";

/** Which query parameters change responses. A name that ends with a star stands for all that begin so. */
export interface QueryRules {
  /** Those that change nothing. */
  readonly ignoreQueries: readonly string[];
  /** The only ones that do; `undefined`: all. */
  readonly keepQueries: readonly string[] | undefined;
  /** Whether their order changes nothing. */
  readonly sortQueries: boolean;
}

/** The URL of a request: `https://shop.example/a?b`. The default port is left out. */
export function urlOf(req: Request): string {
  const { scheme, authority, uri } = req;
  // The same string is found in tables without being hashed anew.
  if (uri !== latest.uri || authority !== latest.authority || scheme !== latest.scheme) {
    const { hostname, colonPort } = req;
    const isDefault = colonPort === (scheme === "https" ? ":443" : ":80");
    latest = { scheme, authority, uri, url: `${scheme}://${isDefault ? hostname : authority}${uri}` };
  }
  return latest.url;
}

/** What was asked for last: requests come in groups that ask for the same. */
let latest = { scheme: "", authority: "", uri: "", url: "" };

/** The URL of a request with the queries that count: purges name it. */
export function urlMaker(rules: QueryRules): (req: Request) => string {
  const { ignoreQueries, keepQueries, sortQueries } = rules;
  const countsAll = ignoreQueries.length === 0 && keepQueries === undefined && !sortQueries;
  return countsAll ? urlOf : (req) => withCountingQueries(urlOf(req), rules);
}

/**
 * The key of a request. Without a template, it is its URL with the queries that count. Handlets behind see by which URL
 * a client came to a proxy that the server trusts: where that is another one, it is in the key, too, or the redirection
 * of a client of plain http to https would be stored for those that use https.
 */
export function keyMaker(template: Template | undefined, rules: QueryRules): (req: Request) => string {
  const keyOf = template === undefined ? urlMaker(rules) : compileTemplate(template, webVariables);
  const unkeyed = unkeyedIn(template, claims);
  const hasScheme = template === undefined || variablesOf(template).has("scheme");
  return (req) => (req.hasTrustedSender ? keyOf(req) + claimsIn(req, unkeyed, hasScheme) : keyOf(req));
}

/**
 * What a proxy says of the client's URL, unless it is that of the request: ` x-forwarded-host=a.example`. `hasScheme`:
 * whether the key has the scheme of the request, which may be the one that the proxy says.
 */
function claimsIn({ headers, scheme, authority }: Request, names: ReadonlySet<string>, hasScheme: boolean): string {
  let text = "";
  for (const [name, value] of headers) {
    if (!names.has(name)) continue;
    const own =
      name === "x-forwarded-host" ? authority : name === "x-forwarded-proto" && hasScheme ? scheme : undefined;
    if (value === own) continue;
    // It names the client as well, who changes nothing.
    const what = name === "forwarded" ? (value.match(urlInForwarded) ?? []).join(";") : value;
    if (what !== "") text += ` ${name}=${what}`;
  }
  return text;
}

/** RFC 7239 section 4. */
const urlInForwarded = /\b(?:host|proto)\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^;,\s]*)/gi;

/** Names of fields that are not in the key, by whether the sender is a proxy that the server trusts. */
export interface UnkeyedFields {
  readonly ofTrusted: ReadonlySet<string>;
  readonly ofOthers: ReadonlySet<string>;
}

/**
 * Fields of clients that frameworks take for the method, the path, the scheme or the host of a request, and that are
 * not in the key: handlets behind a cache must not see them, or a client could plant its response for others ("web
 * cache poisoning", Kettle 2018). Only proxies that the server trusts may say by which URL a client came to them.
 */
export function unkeyedFields(template: Template | undefined): UnkeyedFields {
  return { ofTrusted: unkeyedIn(template, overrides), ofOthers: unkeyedIn(template, [...overrides, ...claims]) };
}

function unkeyedIn(template: Template | undefined, names: readonly string[]): ReadonlySet<string> {
  const named = template === undefined ? new Set() : variablesOf(template);
  return new Set(names.filter((name) => !named.has(`header_${name.replaceAll("-", "_")}`)));
}

const overrides: readonly string[] = [
  "x-forwarded-method",
  "x-forwarded-path",
  "x-forwarded-server",
  "x-host",
  "x-http-host-override",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-host",
  "x-original-uri",
  "x-original-url",
  "x-rewrite-url",
];

/** By which URL a client came to a proxy. */
const claims: readonly string[] = [
  "forwarded",
  "front-end-https",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
  "x-forwarded-protocol",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-forwarded-uri",
  "x-script-name",
  "x-url-scheme",
];

/**
 * A URL that somebody wrote, as a cache stores it: host in lower case, no default port, no dot segments, the queries
 * that count. Path and query are not written in another way, as the class URL does (`'` in queries becomes `%27`): what
 * a client has asked for would not be found.
 */
export function storedUrl(url: string, rules: QueryRules): string {
  try {
    return urlMaker(rules)(askedRequest(url, {}));
  } catch (error) {
    // No client could ask for it: nothing is stored.
    if (error instanceof HemiError) return url;
    throw error;
  }
}

/** A selector that somebody wrote, in the same form. */
export function storedSelector(selector: PurgeSelector, rules: QueryRules): PurgeSelector {
  if (selector === "all" || "tag" in selector) return selector;
  if ("url" in selector) return { url: storedUrl(selector.url, rules) };
  return { prefix: selector.prefix.replace(/^\w+:\/\/[^/]*/, (origin) => origin.toLowerCase()) };
}

function withCountingQueries(url: string, { ignoreQueries, keepQueries, sortQueries }: QueryRules): string {
  const mark = url.indexOf("?");
  if (mark < 0) return url;
  const counting = url
    .slice(mark + 1)
    .split("&")
    .map((text) => ({ text, name: text.split("=", 1)[0] ?? "" }))
    .filter(({ text, name }) => {
      // Some frameworks separate parameters by semicolons, too: one that counts may stand behind it.
      if (text.includes(";")) return true;
      return (keepQueries === undefined || mayBeKept(name, keepQueries)) && !isListed(name, ignoreQueries);
    });
  // Stable: several with one name are a list, whose order counts.
  if (sortQueries) counting.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  const query = counting.map(({ text }) => text).join("&");
  return counting.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${query}`;
}

/**
 * Frameworks may decode names, trim them, take `a[]` for `a`, and not care about case: whatever they may read as a
 * parameter that is kept must be in the key, or a client could plant its response for those who have no such parameter.
 */
function mayBeKept(name: string, patterns: readonly string[]): boolean {
  if (!/^[\w~-]*$/.test(name)) return true;
  const lower = name.toLowerCase();
  return isListed(name, patterns) || patterns.some((pattern) => isListed(lower, [pattern.toLowerCase()]));
}

function isListed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}
