// Adjusts the fields that describe content which was changed.

import { hasListMember, isStatusWithContent, type Request, type Response } from "@hemi/internal";

/** Whether a reviser may change the content: it is not coded, whole, and free to be changed. */
export function mayChangeContent(resp: Response): boolean {
  const coding = resp.header("content-encoding");
  return (coding === undefined || coding.toLowerCase() === "identity") && isWholeAndFree(resp);
}

/** It is not a part of a content, and nobody forbade to change it (RFC 9111 section 5.2.2.6). */
export function isWholeAndFree(resp: Response): boolean {
  return (
    resp.status !== 206 &&
    resp.header("content-range") === undefined &&
    !hasListMember(resp.fieldList, "cache-control", "no-transform")
  );
}

/** An answer without content, whatever is sent. */
export function hasNoContent({ status }: Response): boolean {
  return status === 205 || !isStatusWithContent(status);
}

/**
 * The content is another in its bytes, but says the same: a strong entity tag becomes a weak one (RFC 9110 section
 * 8.8.1).
 */
export function weakenValidators(resp: Response): void {
  const etag = resp.header("etag");
  if (etag?.startsWith('"') === true) resp.setHeader("etag", `W/${etag}`);
  dropPromises(resp);
}

/**
 * A 304 from elsewhere has the strong tag, which was compared weakly with the weak one that the client got here: it
 * gets that one again, as the answer has it that the 304 stands for (RFC 9110 section 15.4.5). False: it got none.
 */
export function weakenNotModified(req: Request, resp: Response): boolean {
  const etag = resp.header("etag");
  if (etag?.startsWith('"') !== true || req.header("if-none-match")?.includes(`W/${etag}`) !== true) return false;
  weakenValidators(resp);
  return true;
}

/** The content is made anew for each request: nothing tells one state of it from another. */
export function dropValidators(resp: Response): void {
  for (const name of ["etag", "last-modified"]) resp.removeHeader(name);
  dropPromises(resp);
}

/** Ranges would be those of other bytes, and so are digests (RFC 9530, RFC 1864). */
function dropPromises(resp: Response): void {
  if (resp.header("accept-ranges") !== undefined) resp.setHeader("accept-ranges", "none");
  for (const name of ["content-digest", "repr-digest", "content-md5"]) resp.removeHeader(name);
}

/** Adds a name to `vary` that is not there. */
export function addVary(resp: Response, name: string): void {
  if (!hasListMember(resp.fieldList, "vary", name) && !hasListMember(resp.fieldList, "vary", "*"))
    resp.addHeader("vary", name);
}
