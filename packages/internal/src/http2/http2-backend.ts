// http2Backend: a group of equal servers that speak HTTP/2.

import {
  checkWebBackend,
  refuseProxyProtocol,
  webBackendProps,
  WebBackendPart,
  type WebBackendProps,
  type WebProtocol,
} from "../http/web-backend-part.ts";
import { defineBackend } from "../backend/kind.ts";
import type { Part } from "../component/part.ts";
import { tunnelBackend, webBackend, type TunnelBackend } from "../http/web-backend.ts";
import { Http2NodeExchan, type ConnSource } from "./node-exchan.ts";
import { Http2Pool } from "./node-pool.ts";
import { http2NodeProps, type Http2NodeSettings } from "./node-props.ts";

/**
 * A group of equal servers that speak HTTP/2, for `httpProxy`: by TLS, where ALPN has to agree on it, or without, where
 * the nodes have to know. gRPC passes. A few connections carry many requests each.
 */
export const http2Backend = defineBackend({
  sign: "http2Backend",
  props: { ...webBackendProps, ...http2NodeProps },
  check(context) {
    checkWebBackend(context);
    refuseProxyProtocol(context, "HTTP/2");
  },
  offers: [webBackend, tunnelBackend],
  create: (context): Part & TunnelBackend => new WebBackendPart(context, http2),
});

const http2: WebProtocol<ConnSource, WebBackendProps & Http2NodeSettings> = {
  alpn: "h2",
  makePool: (spec, options) => new Http2Pool(spec, options),
  newExchan: (...request) => new Http2NodeExchan(...request),
};
