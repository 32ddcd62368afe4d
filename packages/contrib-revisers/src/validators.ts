// What a changed content does to the fields that speak of it.

import type { Response } from "@hemi/internal";

/** Whether there is a content that a reviser may change: not a part of one, not coded, and nobody forbade it (RFC 9111 section 5.2.2.6). */
export function mayChangeContent(resp: Response): boolean {
  return (
    resp.status !== 206 &&
    resp.header("content-range") === undefined &&
    isPlain(resp.header("content-encoding")) &&
    !hasElement(resp, "cache-control", "no-transform")
  );
}

/** An answer without content, whatever is sent. */
export function hasNoContent({ status }: Response): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** The content is another in its bytes, but says the same: a strong entity tag becomes a weak one (RFC 9110 section 8.8.1). */
export function weakenValidators(resp: Response): void {
  const etag = resp.header("etag");
  if (etag?.startsWith('"') === true) resp.setHeader("etag", `W/${etag}`);
  dropPromises(resp);
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
  if (!hasElement(resp, "vary", name) && !hasElement(resp, "vary", "*")) resp.addHeader("vary", name);
}

function isPlain(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || contentEncoding.toLowerCase() === "identity";
}

/** Whether a field that is a list, maybe in several lines, has this element; without regard to case. */
function hasElement(resp: Response, field: string, element: string): boolean {
  const { fieldList } = resp;
  for (let i = 0; i < fieldList.length; i += 2) {
    if (fieldList[i] !== field) continue;
    const elements = (fieldList[i + 1] ?? "").toLowerCase().split(",");
    if (elements.some((one) => one.trim() === element)) return true;
  }
  return false;
}
