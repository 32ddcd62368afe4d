// The two forms of a request's path: `encodedPath`, safe to forward, and `path`, safe to match.

import { Buffer } from "node:buffer";

/** One path in both forms. Neither contains a dot segment; both begin with `/`. */
export interface NormalPath {
  /** As received, but without dot segments. The client's percent-encoding is kept. */
  readonly encodedPath: string;
  /**
   * `encodedPath` decoded, including `%2F`: the path that a decoding backend would see. Invalid UTF-8 becomes U+FFFD.
   * Several slashes in a row become one, as in a file system, so that a rule for `/private/` also matches `//private/`.
   * If segments matter, see `segmentedPath`.
   */
  readonly path: string;
}

/** Why a path is refused; each reason gives 400. */
export type PathFault =
  /** A `..` leads above the root. */
  | "above the root"
  /** `%` without two hexadecimal digits after it. */
  | "broken percent-encoding"
  /** `%00`: it ends the name for software written in C. */
  | "NUL"
  /** `/x/..%2Fadmin`: its meaning depends on whether a reader decodes the slash. */
  | "dot segment by an encoded slash"
  /**
   * A raw `\` or `#`. URIs (RFC 3986 section 3.3) do not allow them in a path, browsers do not send them, and servers
   * interpret them differently.
   */
  | "forbidden character";

const percent = 0x25;
const slash = 0x2f;
const dot = 0x2e;
const backslash = 0x5c;
const hash = 0x23;

/**
 * Whether both forms equal the received path. A segment that begins with a dot, such as `/.well-known`, is not plain,
 * although it is kept: only the complete algorithm distinguishes it from a dot segment.
 */
export function isPlainPath(received: string): boolean {
  let previous = 0;
  for (let i = 0; i < received.length; i++) {
    const code = received.charCodeAt(i);
    if (code === percent || code === backslash || code === hash) return false;
    if (previous === slash && (code === dot || code === slash)) return false;
    previous = code;
  }
  return true;
}

/** `received` begins with `/` and contains visible ASCII only, without a query. Returns the reason if it is refused. */
export function normalizePath(received: string): NormalPath | PathFault {
  if (isPlainPath(received)) return { encodedPath: received, path: received };
  if (/[\\#]/.test(received)) return "forbidden character";
  const isEncoded = received.includes("%");
  if (isEncoded && /%(?![0-9A-Fa-f]{2})/.test(received)) return "broken percent-encoding";
  if (isEncoded && received.includes("%00")) return "NUL";
  const encodedPath = received.includes("/.") || isEncoded ? removeDotSegments(received) : received;
  if (encodedPath === undefined) return "above the root";
  const path = mergeSlashes(isEncoded ? decode(encodedPath) : encodedPath);
  if (isEncoded && dotSegment.test(path)) return "dot segment by an encoded slash";
  return { encodedPath, path };
}

/** Replaces `%2F` in segmented paths. It is unambiguous, because `%00` is refused. */
export const slashInSegment = "\0";

/**
 * The path with the segments that the client sent: like `path`, but an encoded slash is `slashInSegment`.
 * `/users/a%2Fb` has two segments; the second is `a/b`.
 */
export function segmentedPath({ encodedPath, path }: NormalPath): string {
  if (path === encodedPath || !/%2f/i.test(encodedPath)) return path;
  return mergeSlashes(decode(encodedPath.replaceAll(/%2f/gi, "%00")));
}

/**
 * Whether no file can have this name: a segment contains a slash, a backslash, or invalid UTF-8. Otherwise a file would
 * have two paths, of which a condition may check only one. Every `%` of an `encodedPath` begins a triplet, so matches
 * are aligned.
 */
export function namesNoFile({ encodedPath, path }: NormalPath): boolean {
  return path !== encodedPath && (/%2f|%5c/i.test(encodedPath) || path.includes("\uFFFD"));
}

/** Whether a path contains `%5C`: Windows, and software that translates for it, treats it as a slash. */
export function hasEncodedBackslash(encodedPath: string): boolean {
  return encodedPath.includes("%") && /%5c/i.test(encodedPath);
}

/** RFC 3986 section 5.2.4, but encoded dots count too, and a path above the root is an error. */
function removeDotSegments(received: string): string | undefined {
  const kept: string[] = [];
  const segments = received.split("/");
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? "";
    const dots = countDots(segment);
    if (dots === 0) {
      kept.push(segment);
      continue;
    }
    if (dots === 2 && kept.pop() === undefined) return undefined;
    // "/a/." and "/a/b/.." name the directory "/a/".
    if (i === segments.length - 1) kept.push("");
  }
  return "/" + kept.join("/");
}

/** 1 for `.`, 2 for `..`, in any mixture with `%2e`; 0 otherwise. */
function countDots(segment: string): 0 | 1 | 2 {
  if (segment.length === 0 || segment.length > 6) return 0;
  if (!/^(?:\.|%2e){1,2}$/i.test(segment)) return 0;
  return segment === "." || /^%2e$/i.test(segment) ? 1 : 2;
}

const dotSegment = /\/\.{1,2}(?:\/|$)/;

function mergeSlashes(path: string): string {
  return path.includes("//") ? path.replace(/\/{2,}/g, "/") : path;
}

function decode(encodedPath: string): string {
  try {
    return decodeURIComponent(encodedPath);
  } catch {
    // Overlong forms and lone surrogates, which have been used to bypass filters, are invalid here.
    const octets = encodedPath.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 16)),
    );
    return Buffer.from(octets, "latin1").toString("utf8");
  }
}
