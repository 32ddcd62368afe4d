// What a cache knows of status codes.

/** Whether a response may be stored, and its freshness be guessed, if it says nothing (RFC 9110 section 15.1). */
export function isHeuristicallyCacheable(status: number): boolean {
  return heuristicallyCacheable.has(status);
}

/** Without 206: parts of a response are not stored. */
const heuristicallyCacheable: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/**
 * Whether the cache implements the caching rules of this status, which `must-understand` demands (RFC 9111 section
 * 5.2.2.3). 206 and 304 are about parts and about stored responses.
 */
export function isUnderstood(status: number): boolean {
  return understood.has(status);
}

const understood: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 414, 415, 421, 451, 500, 501, 502,
  503, 504,
]);

/** Whether the backend fails, so that a stale response may take the place of this one (RFC 5861 section 4). */
export function isFailure(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504;
}
