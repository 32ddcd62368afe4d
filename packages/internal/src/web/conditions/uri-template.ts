// Templates that make a URI: the value of a variable cannot change the structure of what is around it.
//
//   "https://" + $hostname + "/users/" + $query_name + "/card?of=" + $header_x + "#top"
//    scheme      host         path       one segment    query      one value    fragment

import type { Template } from "../../component/template.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import { webVariables } from "./variables.ts";

/**
 * What a value is, beside text:
 *
 * - `path`: an encoded path that begins with a slash
 * - `uri`: such a path, with or without a query
 * - `stretch`: a part of an encoded path, which may hold slashes
 * - `query`: an encoded query with the `?` before it, or without
 * - `scheme`, `host`: what a URL begins with
 */
export type UriNature = "path" | "uri" | "stretch" | "query" | "scheme" | "host";

/** A value that stands in a URI: how it is read, and how it is to be encoded there. */
export interface UriValue<Args extends readonly unknown[]> {
  /** Plain text, in any characters. */
  readonly read: (...args: Args) => string;
  /** Default: it is text and nothing else. */
  readonly nature?: UriNature;
  /** What stands where a value of this nature may stand as it is: percent-encoded already. Default: as `read`. */
  readonly readEncoded?: (...args: Args) => string;
}

/** Text of the configuration, in the characters of a URI or not, or a value. */
export type UriPiece<Args extends readonly unknown[]> = string | UriValue<Args>;

/**
 * Compiles pieces to one function that makes the URI. A value becomes one segment of the path, or, behind a `?` or `#`,
 * one value, whatever characters it holds: all that would be structure there is percent-encoded. What is a path by
 * nature stands as it is within the path, a query within the query, a scheme or host before the path; elsewhere they
 * are values like others. Several slashes at the start become one, since two begin a host.
 *
 * The function throws HTTPError 400 if values make a dot segment, such as `..`: encoding cannot take its meaning away
 * (RFC 3986 6.2.2.2).
 */
export function compileUri<Args extends readonly unknown[]>(
  pieces: readonly UriPiece<Args>[],
): (...args: Args) => string {
  let outline = "";
  const makers = pieces.map((piece) => {
    const place = placeBehind(outline);
    outline += outlineOf(piece);
    if (typeof piece !== "string") return makerIn(place, piece);
    const text = encodeText(piece);
    return () => text;
  });
  const ownDotSegments = countDotSegments(outline);
  return function makeURI(...args) {
    let uri = "";
    for (const make of makers) uri += make(...args);
    if (countDotSegments(uri) > ownDotSegments) {
      throw new HTTPError(400, `the request makes a dot segment, which would lead elsewhere: ${uri}`);
    }
    return uri.startsWith("//") ? uri.replace(/^\/+/, "/") : uri;
  };
}

/**
 * Says why pieces make no path to rewrite to, or no location that is safe whatever the values are; `undefined` if they
 * do. For locations, text up to the end of the host decides where the client goes.
 */
export function faultOfUri<Args extends readonly unknown[]>(
  pieces: readonly UriPiece<Args>[],
  kind: "path" | "location",
): string | undefined {
  const outline = pieces.map(outlineOf).join("");
  if (/%(?![0-9A-Fa-f]{2})/.test(outline))
    return "a percent sign in it needs two hexadecimal digits behind it: it is encoded";
  if (kind === "path" && /[#\\]/.test(pieces.filter((piece) => typeof piece === "string").join("")))
    return "a path has no # and no backslash: write %23 and %5C";
  if (/^(?:\/(?!\/)|[\u0002\u0005])/.test(outline)) return undefined;
  if (kind === "path") return "it begins with a slash, or with $uri or $encodedPath: a request is rewritten to a path";
  if (/^(?:https?|\u0003):\/\/[^\u0001\u0002\u0005\u0006/?#]+(?:[/?#\u0002\u0005\u0006]|$)/.test(outline))
    return undefined;
  return (
    "it begins with one slash, or with http:// or https:// and a host that no client can choose: " +
    "text, $hostname or $authority"
  );
}

/** The pieces of a template over `webVariables`. */
export function uriPieces({ parts }: Template): UriPiece<[req: Request]>[] {
  return parts.map((part) => (typeof part === "string" ? part : uriVariable(part.variable)));
}

/** A variable of requests as a piece. One that does not exist is empty; the check of a template has ruled that out. */
export function uriVariable(name: string): UriValue<[req: Request]> {
  const read = webVariables.find(name) ?? (() => "");
  // Not the decoded path: that does not tell an encoded slash from a slash.
  if (name === "path") return { read, nature: "path", readEncoded: (req) => req.encodedPath.replace(/\/{2,}/g, "/") };
  if (name.startsWith("match_")) return { read, nature: "stretch", readEncoded: (req) => encodedMatch(req, name) };
  const nature = natures.get(name);
  return nature === undefined ? { read } : { read, nature };
}

/** Part of a path, most likely: its slashes stay. */
function encodedMatch(req: Request, name: string): string {
  const { text, isEncoded } = req.matched(name.slice("match_".length)) ?? noMatch;
  return isEncoded ? text : text.split("/").map(encodeSegment).join("/");
}

const noMatch = { text: "", isEncoded: true };

const natures: ReadonlyMap<string, UriNature> = new Map([
  ["encodedPath", "path"],
  ["uri", "uri"],
  ["originalURI", "uri"],
  ["queryString", "query"],
  ["scheme", "scheme"],
  ["authority", "host"],
  ["hostname", "host"],
  ["colonPort", "host"],
]);

/** Where a piece stands. `path or query`: behind a value that may hold a query. */
type Place = "start" | "authority" | "path" | "path or query" | "query" | "fragment";

/** In an outline a value is one character, which no encoded text holds. */
const marks: Readonly<Record<UriNature | "text", string>> = {
  text: "\u0001",
  stretch: "\u0001",
  path: "\u0002",
  scheme: "\u0003",
  host: "\u0004",
  uri: "\u0005",
  query: "\u0006",
};

function outlineOf<Args extends readonly unknown[]>(piece: UriPiece<Args>): string {
  return typeof piece === "string" ? encodeText(piece) : marks[piece.nature ?? "text"];
}

function placeBehind(outline: string): Place {
  if (outline.includes("#")) return "fragment";
  if (outline.includes("?")) return "query";
  if (/[\u0005\u0006]/.test(outline)) return "path or query";
  if (outline === "" || outline === marks.scheme) return "start";
  return /^[a-z\u0003][a-z0-9+.-]*:\/\/[^/\u0002]*$/i.test(outline) ? "authority" : "path";
}

function makerIn<Args extends readonly unknown[]>(
  place: Place,
  { read, nature, readEncoded = read }: UriValue<Args>,
): (...args: Args) => string {
  const encode = place === "path" ? encodeSegment : encodeValue;
  const isBeforePath = place === "start" || place === "authority";
  switch (nature) {
    case "path":
    case "uri":
      // For `OPTIONS *` there is no slash, and a host must not go on.
      if (isBeforePath) return (...args) => readEncoded(...args).replace(/^(?!\/)/, "/");
      if (place === "path") return readEncoded;
      break;
    case "stretch":
      if (place === "path") return readEncoded;
      break;
    case "scheme":
    case "host":
      if (isBeforePath) return readEncoded;
      break;
    case "query":
      if (place === "query") return (...args) => readEncoded(...args).replace(/^\?/, "");
      return (...args) => {
        const query = readEncoded(...args);
        return place !== "fragment" && query.startsWith("?") ? query : encode(query);
      };
    case undefined:
  }
  return (...args) => encode(read(...args));
}

/** Of the path, encoded slashes and backslashes counted as slashes: who decodes early sees those. */
function countDotSegments(uri: string): number {
  if (!/[.]|%2e/i.test(uri)) return 0;
  const path = uri.replace(/[?#\u0005\u0006].*$/s, "").replaceAll("\u0002", "/x/");
  return path.match(/(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?=\/|%2f|%5c|$)/gi)?.length ?? 0;
}

/** Text of the configuration: only what no URI may hold. */
function encodeText(text: string): string {
  return text.replace(/[^!#-;=?-[\]_a-z~]+/g, (run) => encodeURIComponent(run.toWellFormed()));
}

/** One segment: all but `pchar` (RFC 3986 3.3). */
function encodeSegment(text: string): string {
  return text.toWellFormed().replace(/[^!$&-.0-;=@A-Z_a-z~]+/g, encodeURIComponent);
}

function encodeValue(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
