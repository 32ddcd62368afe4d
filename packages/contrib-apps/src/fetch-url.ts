// The URL of a request, as a Request tells it: absolute, and in the one form that the URL standard gives it.

import { HTTPError, memoizeField, type Request as HemiRequest } from "@hemi/internal";

/** `uri` is what the app is asked for. Throws HTTPError 400 where the host makes no URL. */
export function fetchURLOf(req: HemiRequest, uri = req.uri): string {
  const origin = originOf(`${req.scheme}://${req.authority || "localhost"}`);
  if (origin === "") {
    throw new HTTPError(400, `the app can be given no Request: ${req.scheme}://${req.authority}${uri} is no URL`);
  }
  return settledTarget.test(uri) ? origin + uri : new URL(origin + uri).href;
}

/** Without a slash at its end; "" where there is none. Clients name few hosts. */
const originOf = memoizeField((text) => {
  const url = URL.parse(text);
  // Names and passwords may not stand in the URL of a Request.
  return url?.username === "" && url.password === "" ? url.origin : "";
});

/** A path and a query in which the URL standard changes nothing: no character that it encodes, no dot segment. */
const settledTarget = /^(?!.*\/(?:\.|%2e))[\w\-.~!$&()*+,;=:@/?%[\]]*$/i;
