// Validation of stored responses (RFC 9111 section 4.3).

import { ListedFields, type Fields } from "../../../http/fields.ts";

/**
 * The fields that ask the backend whether a stored response is still current: names and values alternating. Empty if it
 * has no validator.
 */
export function conditionFields(stored: Pick<Fields, "get">): readonly string[] {
  const conditions: string[] = [];
  const etag = stored.get("etag");
  if (etag !== undefined) conditions.push("if-none-match", etag);
  const lastModified = stored.get("last-modified");
  if (lastModified !== undefined) conditions.push("if-modified-since", lastModified);
  return conditions;
}

/**
 * Whether a 304 confirms the stored response (section 4.3.4): its validators, if it has any, are the stored ones. Weak
 * tags are compared weakly: both identify the response that was asked about.
 */
export function confirms(received: Pick<Fields, "get">, stored: Pick<Fields, "get">): boolean {
  const etag = received.get("etag");
  if (etag !== undefined) return opaqueTag(etag) === opaqueTag(stored.get("etag"));
  const lastModified = received.get("last-modified");
  return lastModified === undefined || lastModified === stored.get("last-modified");
}

/** The head of an answer to HEAD. */
export interface ReceivedHead {
  readonly fields: Pick<Fields, "get">;
  /** Its `content-length`, in bytes. */
  readonly size: number | undefined;
}

/** A stored response, or a part of one. */
export interface StoredRepresentation {
  readonly fieldList: readonly string[];
  /** Of the whole content, in bytes. */
  readonly size: number;
}

/** Whether an answer to HEAD may be that of the stored response, by what it says (section 4.3.5). */
export function agrees({ fields, size = 0 }: ReceivedHead, stored: StoredRepresentation): boolean {
  const storedFields = new ListedFields(stored.fieldList);
  const isSame = (name: string) => [undefined, storedFields.get(name)].includes(fields.get(name));
  // Many that answer HEAD announce 0 because they have made no content.
  const isSized = size === 0 || size === stored.size;
  return isSame("etag") && isSame("last-modified") && isSized;
}

function opaqueTag(etag: string | undefined): string | undefined {
  return etag?.startsWith("W/") === true ? etag.slice(2) : etag;
}
