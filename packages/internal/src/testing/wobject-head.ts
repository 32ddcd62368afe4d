// The head of a stored response, for tests of cachers.

import type { WobjectHead } from "../web/cache/wobject.ts";

const url = "http://a.example/a";

/** Of a 200 without fields that has just been stored, at time 0, and is fresh for a second, but for what is given. */
export function wobjectHead(given: Partial<WobjectHead> = {}): WobjectHead {
  return {
    key: url,
    url,
    status: 200,
    fieldList: [],
    variant: [],
    tags: [],
    lifetime: 1000,
    lifetimeFrom: "max-age",
    initialAge: 0,
    noCache: false,
    mustRevalidate: false,
    isImmutable: false,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    storedAt: 0,
    isOutdated: false,
    ...given,
  };
}
