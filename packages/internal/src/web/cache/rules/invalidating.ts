// What an unsafe request makes invalid (RFC 9111 section 4.4).

import type { Fields } from "../../../http/fields.ts";

/** Whether a method is safe (RFC 9110 section 9.2.1). Unknown methods are not. */
export function isSafe(method: string): boolean {
  return safe.has(method);
}

const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]);

/**
 * The URLs whose stored responses are invalid after a response without an error to an unsafe request to `url`: itself,
 * and those that `location` and `content-location` name, if they have the same origin. Others could be made invalid by
 * anybody.
 */
export function invalidatedUrls(url: string, status: number, fields: Pick<Fields, "get">): readonly string[] {
  if (status < 200 || status > 399) return [];
  const base = URL.parse(url);
  const urls = new Set([url]);
  for (const name of ["location", "content-location"]) {
    const target = base === null ? null : URL.parse(fields.get(name) ?? "", base.href);
    if (target === null || fields.get(name) === undefined || target.origin !== base?.origin) continue;
    target.hash = "";
    urls.add(target.href);
  }
  return [...urls];
}
