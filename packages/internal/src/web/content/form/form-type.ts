// Determines from the content-type of a request which sort of form it is, if any.

import { MIMEType } from "node:util";
import { HTTPError } from "../../http-error.ts";

export type FormType = { readonly sort: "urlencoded" } | { readonly sort: "multipart"; readonly boundary: string };

const urlencoded = "application/x-www-form-urlencoded";
const multipart = "multipart/form-data";

/**
 * `contentType` is that of the request. Throws HTTPError: 415 for content that is not a form, 400 for a multipart form
 * without a valid boundary.
 */
export function formTypeOf(contentType: string | undefined): FormType {
  const type = parseType(contentType ?? "");
  if (type?.essence === urlencoded) return { sort: "urlencoded" };
  if (type?.essence !== multipart) {
    const given = contentType === undefined ? "has no content-type" : `is ${contentType.slice(0, maxTypeSize)}`;
    throw new HTTPError(415, `the content of the request ${given}: a form is ${urlencoded} or ${multipart}`, {
      fields: { accept: `${urlencoded}, ${multipart}` },
    });
  }
  const boundary = type.params.get("boundary");
  if (boundary === null) throw new HTTPError(400, "the content of the request is a multipart form without a boundary");
  if (!isBoundary.test(boundary)) {
    throw new HTTPError(400, `the boundary of a multipart form is 1 to 70 characters, not ${JSON.stringify(boundary)}`);
  }
  return { sort: "multipart", boundary };
}

/**
 * In characters. A boundary has 70. No prop: nobody writes a longer type but to keep us busy, for Node.js takes
 * quadratic time for white space in it.
 */
const maxTypeSize = 500;

/** RFC 2046 5.1.1. Some clients omit the quotes that a few of these characters require; that is not ambiguous. */
const isBoundary = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

function parseType(text: string): MIMEType | undefined {
  if (text.length > maxTypeSize) return undefined;
  try {
    return new MIMEType(text);
  } catch {
    return undefined;
  }
}
