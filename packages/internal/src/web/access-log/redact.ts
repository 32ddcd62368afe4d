// Removes secrets from an access log: credentials, cookies, and the values of query parameters that the configuration
// names.

import { Queries } from "../request/queries.ts";

/** Replaces removed values. */
export const redacted = "[redacted]";

/** Fields with credentials or equivalent values: a session cookie gives access to the session. */
export const secretFields: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
]);

/** Returns a URI, a query string or a whole URL without its secrets. */
export type RedactURI = (uri: string) => string;

/** `?token=1&a=2` becomes `?token=[redacted]&a=2`. The name may be percent-encoded, in upper or lower case. */
export function redactQueriesNamed(names: readonly string[]): RedactURI {
  if (names.length === 0) return (uri) => uri;
  const secret = new Set(names.map((name) => name.toLowerCase()));
  return function redactQueries(uri) {
    const mark = uri.indexOf("?");
    if (mark < 0) return uri;
    // A fragment, which only a referer could have, counts as part of the preceding value.
    const pairs = uri.slice(mark + 1).split("&");
    return uri.slice(0, mark + 1) + pairs.map(redactPair).join("&");
  };

  function redactPair(pair: string): string {
    const equals = pair.indexOf("=");
    if (equals < 0) return pair;
    const [first] = new Queries(pair).entries();
    return first !== undefined && secret.has(first[0].toLowerCase()) ? `${pair.slice(0, equals + 1)}${redacted}` : pair;
  }
}
