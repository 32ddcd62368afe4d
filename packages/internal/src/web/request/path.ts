// The two forms of a request's path: `encodedPath`, safe to forward, and `path`, safe to match.

/** One path in its two forms. Neither has a dot segment left; both begin with `/`. */
export interface NormalPath {
  /** As received, but without dot segments; the client's own percent-encoding is kept to the letter. */
  readonly encodedPath: string;
  /**
   * `encodedPath` decoded, `%2F` too: what a backend that decodes it would see. Octets that are not UTF-8 are U+FFFD. Several slashes in a row are
   * one: to a file system they are, so that what is said of `/private/` has to hold for `//private/`. Where segments matter, see `segmentedPath`.
   */
  readonly path: string;
}

/** Why a path is refused; each is a 400. */
export type PathFault =
  /** A `..` leads above the root. */
  | "above the root"
  /** `%` without two hexadecimal digits behind it. */
  | "broken percent-encoding"
  /** `%00`: it ends a name for whatever is written in C behind us. */
  | "NUL"
  /** `/x/..%2Fadmin`: whoever decodes the slash goes elsewhere than whoever does not. */
  | "dot segment by an encoded slash"
  /**
   * A raw `\` or `#`. The grammar of URIs (RFC 3986 section 3.3) has neither in a path, no browser sends them, and
   * servers disagree on what they mean.
   */
  | "forbidden character";

const percent = 0x25;
const slash = 0x2f;
const dot = 0x2e;
const backslash = 0x5c;
const hash = 0x23;

/**
 * Whether both forms of this path are the path itself. A segment that begins with a dot, such as `/.well-known`, is not plain, although it is
 * left alone: only the full work tells it from a dot segment.
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

/** `received` begins with `/` and holds visible ASCII only, without a query. Gives the reason when it is refused. */
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

/** Stands for a `%2F` in segmented paths; no path holds it otherwise, for `%00` is refused. */
export const slashInSegment = "\0";

/**
 * The path cut into segments where the client has cut it: as `path`, but that an encoded slash is `slashInSegment`. `/users/a%2Fb` has two segments, the
 * second of which is `a/b`.
 */
export function segmentedPath({ encodedPath, path }: NormalPath): string {
  if (path === encodedPath || !/%2f/i.test(encodedPath)) return path;
  return mergeSlashes(decode(encodedPath.replaceAll(/%2f/gi, "%00")));
}

/**
 * Whether no file can be called so: one of its segments holds a slash or a backslash, or what is not UTF-8. Else one file had two paths, of
 * which a condition may know one. Every `%` of an `encodedPath` begins a triplet, so none is found askew.
 */
export function namesNoFile({ encodedPath, path }: NormalPath): boolean {
  return path !== encodedPath && (/%2f|%5c/i.test(encodedPath) || path.includes("\uFFFD"));
}

/** Whether a path holds `%5C`: Windows, and who translates for it, take it for a slash. */
export function hasEncodedBackslash(encodedPath: string): boolean {
  return encodedPath.includes("%") && /%5c/i.test(encodedPath);
}

/** RFC 3986 section 5.2.4, but encoded dots count too, and to go above the root is an error instead of a no-op. */
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

/** 1 for `.`, 2 for `..`, in any mixture with `%2e`; 0 for all else. */
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
    // Overlong forms and lone surrogates, which have bypassed many a filter, are no letters here.
    const octets = encodedPath.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 16)),
    );
    return Buffer.from(octets, "latin1").toString("utf8");
  }
}
