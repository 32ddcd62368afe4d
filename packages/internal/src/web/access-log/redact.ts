// What never stands in an access log: credentials and cookies, and the values of queries that the configuration calls secret.

import { Queries } from "../request/queries.ts";

/** Stands in the place of what is not told. */
export const redacted = "[redacted]";

/** Fields whose values are credentials, or as good as: who reads a session's cookie has the session. */
export const secretFields: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
]);

/** Gives a URI, a query string or a whole URL without the secrets in it. */
export type RedactURI = (uri: string) => string;

/** `?token=1&a=2` becomes `?token=[redacted]&a=2`, however the name is percent-encoded, in upper case or in lower. */
export function redactQueriesNamed(names: readonly string[]): RedactURI {
  if (names.length === 0) return (uri) => uri;
  const secret = new Set(names.map((name) => name.toLowerCase()));
  return function redactQueries(uri) {
    const mark = uri.indexOf("?");
    if (mark < 0) return uri;
    // A fragment, which only a referer could have, is told as part of the value before it, and goes with that.
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
