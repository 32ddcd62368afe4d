// Connects to a node: over TCP or a UNIX socket, with or without TLS.

import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTLS, type ConnectionOptions } from "node:tls";
import type { NodeSpec } from "./node.ts";

/** A connecting socket, and the name of the event that reports the connection. */
export interface Dialled {
  readonly socket: Socket;
  readonly connectEvent: "connect" | "secureConnect";
}

/** `tls`: `undefined` for no TLS. */
export function dialNode(
  { address, hostname }: NodeSpec,
  tls: ConnectionOptions | undefined,
  options: { readonly onread?: OnReadOpts; readonly allowHalfOpen?: boolean } = {},
): Dialled {
  const { allowHalfOpen = false, onread } = options;
  if (tls === undefined && onread !== undefined && "port" in address) {
    // The usual case. The runtime copies it once more: copies of copies would cost a new connection a microsecond.
    const { host, port } = address;
    return { socket: connect({ host, port, allowHalfOpen, noDelay: true, onread }), connectEvent: "connect" };
  }
  const to = { ...address, ...options, noDelay: true };
  if (tls === undefined) return { socket: connect(to), connectEvent: "connect" };
  // SNI must not contain an IP address (RFC 6066 3). The certificate is still checked against it.
  const servername = tls.servername ?? (isIP(hostname) === 0 ? hostname : "");
  return { socket: connectTLS({ ...tls, ...to, servername }), connectEvent: "secureConnect" };
}
