// The fields of a request to a node, as QPACK writes them (RFC 9114 4.3.1).

import { contentLengthIsDue, passedFields, type BackendRequest } from "@hemi/internal";

/** Names and values in turn. With a `protocol`: of an extended CONNECT for it (RFC 9220). */
export function requestFields(request: BackendRequest, protocol: string | undefined): string[] {
  const { method, authority, target, received, dropped, added, contentSize } = request;
  const list = [":method", protocol === undefined ? method : "CONNECT"];
  if (protocol !== undefined) list.push(":protocol", protocol);
  // However the client came, the node is asked over TLS.
  list.push(":scheme", "https", ":authority", authority, ":path", target);
  list.push(...passedFields(received, dropped, added));
  // They are passed on, and some servers of gRPC do not answer without.
  list.push("te", "trailers");
  if (protocol === undefined && contentLengthIsDue(method, contentSize))
    list.push("content-length", String(contentSize));
  return list;
}
