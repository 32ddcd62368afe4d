// Connecting to a node: by TCP or a UNIX socket, with TLS or without.

import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTLS, type ConnectionOptions } from "node:tls";
import type { NodeSpec } from "./node.ts";

/** A socket that is being connected, and the event that says that it stands. */
export interface Dialled {
  readonly socket: Socket;
  readonly connectEvent: "connect" | "secureConnect";
}

/** `tls`: `undefined` for none. */
export function dialNode(
  { address, hostname }: NodeSpec,
  tls: ConnectionOptions | undefined,
  options: { readonly onread?: OnReadOpts; readonly allowHalfOpen?: boolean } = {},
): Dialled {
  const to = { ...address, ...options, noDelay: true };
  if (tls === undefined) return { socket: connect(to), connectEvent: "connect" };
  // An IP address is no name that could be asked for (RFC 6066 3); the certificate is checked against it all the same.
  const servername = tls.servername ?? (isIP(hostname) === 0 ? hostname : "");
  return { socket: connectTLS({ ...tls, ...to, servername }), connectEvent: "secureConnect" };
}
