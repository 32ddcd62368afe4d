// The fields by which responses tell a client what is left to it (draft-ietf-httpapi-ratelimit-headers-10).

import type { BucketTake, TokenRate } from "@hemi/common";

/** The value of `ratelimit-policy`: `"login";q=5;w=60`. `name`: that of the limiter, which may be "". */
export function policyOf(name: string, { interval, burst }: TokenRate): string {
  return `${quotedName(name)};q=${burst};w=${Math.ceil((burst * interval) / 1000)}`;
}

/** The value of `ratelimit`: what is left, and the seconds until there is more, or until all is there again. */
export function ratelimitField(name: string, { granted, remaining, retryAfter, fullAfter }: BucketTake): string {
  const seconds = Math.ceil((granted === 1 ? fullAfter : retryAfter) / 1000 - 1e-8);
  return `${quotedName(name)};r=${remaining};t=${granted === 1 ? seconds : Math.max(1, seconds)}`;
}

/** A string of structured fields (RFC 9651). */
function quotedName(name: string): string {
  return `"${(name === "" ? "default" : name).replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
}
