// The props of every server that listens for connections, whatever its protocol.

import { prop } from "../component/prop.ts";
import type { AddressRange } from "../component/props/addresses.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { tlsProps } from "./tls/tls-props.ts";

const listenProps = {
  /**
   * The address to listen on: `:port` (all addresses), `host:port`, `[v6]:port` or `/path.sock`. Port 0 takes a free
   * port. Of the addresses of a name, the first IPv4 address is used.
   */
  address: prop.address({ required: true }),
  /**
   * Maximum number of concurrent connections. One more is closed as soon as it is accepted. The error log reports their
   * number, in one line every 10 seconds. Each worker of the program has an equal part of it, rounded up.
   */
  maxConns: prop.integer({ default: 20_000, min: 1, inherited: true, reload: "live" }),
  /**
   * Addresses of proxies that send a PROXY header, version 1 or 2, at the start of each connection, before TLS. The
   * header gives the client's address (`$srcHost`); the proxy remains `$peerHost` in access logs. A connection from
   * these addresses without a valid header is closed. All other peers are clients and may not send one: their header is
   * a malformed request.
   */
  proxyProtocol: prop.addresses({ default: [], inherited: true, reload: "live" }),
  /** Time limit for the PROXY header. After that the connection is closed. */
  proxyHeaderTimeout: prop.duration({ default: "5s", min: "1ms", inherited: true, reload: "live" }),
  /**
   * How long a draining server waits for a client to send something. A request that is already on its way arrives in
   * this time and is served.
   */
  drainIdleTimeout: prop.duration({ default: "250ms", inherited: true, reload: "live" }),
  /**
   * When a connection has to end while its client may still send, we shut our side and read theirs away, so that a
   * reset does not destroy the answer on its way: until nothing has come for this long. An HTTP/2 stream that is
   * answered before its request is complete is reset when its client has read the answer, and after this at the latest.
   * After a 2xx, the rest of content with a `content-length` is read away instead, until nothing has come for this
   * long.
   */
  lingerTimeout: prop.duration({ default: "2s", min: "1ms", inherited: true, reload: "live" }),
};

/** Spread this into the props of a server. */
export const frontProps: typeof listenProps & typeof tlsProps = { ...listenProps, ...tlsProps };

/** The values of these props. */
export type FrontSettings = Omit<PropsOf<typeof frontProps>, "address"> & { readonly address: AddressRange };
