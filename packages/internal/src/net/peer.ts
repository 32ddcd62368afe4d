// The other end of a socket, and the client behind it.

import { isIPv6, SocketAddress, type Socket } from "node:net";

/** One end of an address pair. For a UNIX socket `address` is "" and `port` 0. */
export interface Endpoint {
  /** An IP address; "" for a UNIX socket. */
  readonly address: string;
  /** 0 for a UNIX socket, and where it is unknown. */
  readonly port: number;
}

/** The other end of a connection: a client, or a proxy. */
export interface Peer extends Endpoint {
  /** The client, if the peer is trusted to name it: see `proxyProtocol` of httpxServer. */
  readonly source?: Endpoint;
  /** Our own end of the connection; `undefined` if there is no socket, or it is already closed. */
  readonly local?: Endpoint | undefined;
}

/** Address and port of a socket's other end; "" and 0 for a UNIX socket, and for a closed one. */
export function peerOf(socket: Socket): Peer {
  return new SocketPeer(socket);
}

/** Reads the local end on demand, because it is rarely needed. */
class SocketPeer implements Peer {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    const { remoteAddress = "", remotePort = 0 } = socket;
    this.address = unmapped(remoteAddress);
    this.port = remotePort;
    this.#socket = socket;
  }

  get local(): Endpoint | undefined {
    const { localAddress, localPort } = this.#socket;
    return localAddress === undefined || localPort === undefined
      ? undefined
      : { address: unmapped(localAddress), port: localPort };
  }
}

/**
 * The normalized form of an IP address, for comparison and logs: IPv6 as short as possible (RFC 5952), IPv4 never in
 * its IPv6-mapped form.
 */
export function plainAddress(ip: string): string {
  return isIPv6(ip) ? unmapped(new SocketAddress({ address: ip, family: "ipv6" }).address) : ip;
}

/** A socket that listens on all addresses reports IPv4 addresses in IPv6-mapped form (RFC 4291 2.5.5.2). */
function unmapped(ip: string): string {
  return ip.startsWith(mapped) && ip.includes(".") ? ip.slice(mapped.length) : ip;
}

const mapped = "::ffff:";
