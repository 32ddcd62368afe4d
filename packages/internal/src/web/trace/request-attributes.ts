// What a request is, by the names of OpenTelemetry's semantic conventions.

import type { Request } from "../request/request.ts";

/** Of the request, its connection and its TLS handshake. Without the query, which may have secrets. */
export function requestAttributes(req: Request) {
  const { peer, tls } = req;
  return {
    "http.request.method": methods.has(req.method) ? req.method : "_OTHER",
    "url.scheme": req.scheme,
    "url.path": req.encodedPath,
    "server.address": req.hostname,
    "network.protocol.name": "http",
    "network.protocol.version": req.version,
    "network.peer.address": peer.address,
    "network.peer.port": peer.port,
    "client.address": req.srcHost,
    "hemi.request.id": req.id,
    ...(tls !== undefined && {
      "tls.protocol.version": tls.version.replace("TLSv", ""),
      "tls.cipher": tls.cipher,
      "tls.resumed": tls.isResumed,
      "tls.client.server_name": tls.serverName,
    }),
  };
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
