// Requests that come before the handshake is complete may be sent again by anyone who has seen them (RFC 8470).

import { BadRequest } from "@hemi/internal";

/** Why a request with this method is not served from early data; `undefined`: doing it twice does nothing. */
export function refusedAsEarly(method: string): BadRequest | undefined {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" ? undefined : tooEarly;
}

/** Adds the field that tells handlets, and servers behind a proxy, that a request may be a replay (RFC 8470 5.1). */
export function markAsEarly(fieldList: string[]): void {
  for (let i = 0; i < fieldList.length; i += 2) if (fieldList[i] === "early-data") return;
  fieldList.push("early-data", "1");
}

const tooEarly = new BadRequest(425, "it came as early data, which may be a replay, with a method that is not safe");
