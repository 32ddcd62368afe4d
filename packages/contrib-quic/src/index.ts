// HTTP/3 over QUIC, WebTransport, and QUIC at layer 4. The default export is the pack.

import { pack } from "@hemi/internal";
import { http3Backend } from "./http3-backend.ts";
import { http3Outgate } from "./http3-outgate.ts";
import { http3Server } from "./http3-server.ts";
import { quicOutgate } from "./outgate/quic-outgate.ts";
import { quicBackend } from "./router/quic-backend.ts";
import { quicProxy } from "./router/quic-proxy.ts";
import { quicRouter } from "./router/quic-router.ts";

export { http3Backend, http3Outgate, http3Server, quicBackend, quicOutgate, quicProxy, quicRouter };
export type { Http3Host, Http3Outgate } from "./http3-outgate.ts";
export type { QuicConnection, QuicConnectionEvents } from "./outgate/quic-connection.ts";
export type { QuicHost, QuicOutgate } from "./outgate/quic-outgate.ts";
export { acceptWebTransport, isWebTransport, type WebTransportOptions } from "./webtransport/accept.ts";
export type { SessionEnd, WebTransportEvents, WebTransportSession } from "./webtransport/session.ts";
export { QuicStreamError, type QuicStream } from "./quic/stream.ts";
export { webTransportProps, type WebTransportSettings } from "./webtransport/web-transport-props.ts";

export default pack("@hemi/contrib-quic", [
  http3Server,
  http3Backend,
  http3Outgate,
  quicBackend,
  quicRouter,
  quicProxy,
  quicOutgate,
]);
