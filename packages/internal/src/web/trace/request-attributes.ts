// What a request is, by the names of OpenTelemetry's semantic conventions.

import type { Request } from "../request/request.ts";

/**
 * Of the request, its connection and its TLS handshake. Without the query, which may have secrets. The caller adds what
 * it knows besides.
 */
export function requestAttributes(req: Request): Record<string, string | number | boolean> {
  const { peer, tls } = req;
  const attributes: Record<string, string | number | boolean> = {
    "http.request.method": knownMethod(req.method) ?? "_OTHER",
    "url.scheme": req.scheme,
    "url.path": req.encodedPath,
    "server.address": req.hostname,
    "network.protocol.name": "http",
    "network.protocol.version": req.version,
    "network.peer.address": peer.address,
    "network.peer.port": peer.port,
    "client.address": req.srcHost,
    "hemi.request.id": req.id,
  };
  if (req.colonPort !== "") attributes["server.port"] = Number(req.colonPort.slice(1));
  if (tls === undefined) return attributes;
  attributes["tls.protocol.version"] = tls.version.replace("TLSv", "");
  attributes["tls.cipher"] = tls.cipher;
  attributes["tls.resumed"] = tls.isResumed;
  attributes["tls.client.server_name"] = tls.serverName;
  return attributes;
}

/** The method, if it is a usual one. */
export function knownMethod(method: string): string | undefined {
  return methods.has(method) ? method : undefined;
}

/** Others would make names without end. */
const methods: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);
