// The field `cache-status` (RFC 9211): what the cache did with a request.

/** Why a request went to the backend (RFC 9211 section 2.2). */
export type ForwardReason = "bypass" | "method" | "uri-miss" | "vary-miss" | "request" | "stale";

/** What the cache did. */
export interface CacheStatus {
  /** The answer came from the cache. */
  readonly isHit?: boolean;
  readonly forward?: ForwardReason | undefined;
  /** The status of the backend, if the client gets another one. */
  readonly forwardStatus?: number | undefined;
  readonly isStored?: boolean;
  /** The answer to another request was used; false: it was waited for, and was of no use. Default: neither. */
  readonly isCollapsed?: boolean | undefined;
  /** The remaining freshness in milliseconds; negative for a stale response. */
  readonly ttl?: number | undefined;
  /** A token. */
  readonly detail?: string | undefined;
}

/** A stored response has replaced that of a failing backend, which may have a status. */
export function staleIfError({ status }: { readonly status: number | undefined }): CacheStatus {
  return { forwardStatus: status, detail: "stale-if-error" };
}

/** The member for a cache of this name, which is a token or a text. */
export function cacheStatusMember(name: string, status: CacheStatus): string {
  let member = /^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/.test(name) ? name : JSON.stringify(name);
  if (status.isHit === true) member += "; hit";
  if (status.forward !== undefined) member += `; fwd=${status.forward}`;
  if (status.forwardStatus !== undefined) member += `; fwd-status=${status.forwardStatus}`;
  if (status.ttl !== undefined) member += `; ttl=${Math.floor(status.ttl / 1000)}`;
  if (status.isStored === true) member += "; stored";
  if (status.isCollapsed !== undefined) member += status.isCollapsed ? "; collapsed" : "; collapsed=?0";
  if (status.detail !== undefined) member += `; detail=${status.detail}`;
  return member;
}

/** What the cache did, in one word for logs: `hit`, or why the request went to the backend. */
export function cacheStatusWord({ isHit, forward }: CacheStatus): string {
  return isHit === true ? "hit" : (forward ?? "");
}
