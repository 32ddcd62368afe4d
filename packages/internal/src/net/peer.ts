// The other end of a socket.

import type { Socket } from "node:net";

/** Address and port of a socket's other end; "" and 0 for a UNIX socket, and for one that has gone already. */
export function peerOf(socket: Socket): { readonly address: string; readonly port: number } {
  const { remoteAddress = "", remotePort = 0 } = socket;
  // A socket that listens on all addresses, IPv6 and IPv4, writes the latter in the form of the former (RFC 4291 2.5.5.2).
  const isMapped = remoteAddress.startsWith(mapped) && remoteAddress.includes(".");
  return { address: isMapped ? remoteAddress.slice(mapped.length) : remoteAddress, port: remotePort };
}

const mapped = "::ffff:";
