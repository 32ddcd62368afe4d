// The two forms of a request's path: `encodedPath`, safe to forward, and `path`, safe to match.

/** One path in its two forms. Neither has a dot segment left; both begin with `/`. */
export interface NormalPath {
  /** As received, but without dot segments; the client's own percent-encoding is kept to the letter. */
  readonly encodedPath: string;
  /**
   * `encodedPath` decoded, but for `%2F` and `%5C`, which stay (always in upper case), so that a segment never grows a
   * separator. Since `%252F` decodes to the same text, ask `hasEncodedSeparator(encodedPath)` for the difference. Several slashes
   * in a row are one: to a file system they are, so that what is said of `/private/` has to hold for `//private/`.
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
  /** What the percent-encoding gives is not UTF-8: overlong forms and lone surrogates have bypassed many a filter. */
  | "not UTF-8"
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
  const path = isEncoded ? decodePath(encodedPath) : encodedPath;
  return path === undefined ? "not UTF-8" : { encodedPath, path: path.replace(/\/{2,}/g, "/") };
}

/**
 * Whether the client sent an encoded `/` or `\` within a segment. Every `%` of an `encodedPath` begins a triplet, so
 * none is found askew.
 */
export function hasEncodedSeparator(encodedPath: string): boolean {
  return encodedPath.includes("%") && /%2f|%5c/i.test(encodedPath);
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

function decodePath(encodedPath: string): string | undefined {
  try {
    // "%2f" becomes "%252F", which decodes to the "%2F" that is to stay.
    return decodeURIComponent(
      encodedPath.replaceAll(/%(?:2f|5c)/gi, (triplet) => "%25" + triplet.slice(1).toUpperCase()),
    );
  } catch {
    return undefined;
  }
}
