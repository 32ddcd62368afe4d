// The props of whatever listens for connections, whichever protocol it serves.

import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { tlsProps } from "./tls/tls-props.ts";

const listenProps = {
  /**
   * Where it listens: `:port` (all addresses), `host:port`, `[v6]:port` or `/path.sock`. Port 0 takes a free one; of a
   * name's addresses the first IPv4 one counts.
   */
  address: prop.address({ required: true }),
  /**
   * Connections at once; one more is closed as soon as it is accepted. The error log counts them, in one line every 10
   * seconds.
   */
  maxConns: prop.integer({ default: 20_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Addresses of proxies that tell by a PROXY header, version 1 or 2, in front of all else on a connection, TLS too,
   * whose it is: that is the client then (`$srcHost`), and the proxy stays `$peerHost` in access logs. A connection of
   * theirs without a right header is closed. All others are clients, who may not tell such things: a header of theirs
   * is a malformed request.
   */
  proxyProtocol: prop.addresses({ default: [], inherited: true, reload: "live" }),
  /** Until the PROXY header is there; then the connection is closed. */
  proxyHeaderTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * While the server drains: how long it waits for what a client begins. A request that is on its way arrives by then,
   * and is answered.
   */
  drainIdleTimeout: prop.duration({ default: "250ms", inherited: true, reload: "live" }),
  /**
   * When a connection has to end while its client may still send, we shut our side and read theirs away, so that a
   * reset does not destroy the answer on its way: until nothing has come for this long. An HTTP/2 stream that is answered before its
   * request is complete is reset when its client has read the answer, and after this at the latest.
   */
  lingerTimeout: prop.duration({ default: "2s", min: "1ms", inherited: true, reload: "live" }),
};

/** To be spread into the props of a server. */
export const frontProps: typeof listenProps & typeof tlsProps = { ...listenProps, ...tlsProps };

/** Their values. */
export type FrontSettings = PropsOf<typeof frontProps>;
