// The other end of a socket, and who is behind it.

import { isIPv6, SocketAddress, type Socket } from "node:net";

/** One end of an address pair. For a UNIX socket `address` is "" and `port` 0. */
export interface Endpoint {
  /** An IP address; "" for a UNIX socket. */
  readonly address: string;
  /** 0 for a UNIX socket, and where it is unknown. */
  readonly port: number;
}

/** The other end of a connection: a client, or something that passes on what clients send. */
export interface Peer extends Endpoint {
  /** The client, where the peer is one that is trusted to say who that is: see `proxyProtocol` of httpxServer. */
  readonly source?: Endpoint;
  /** Our own end of the connection; `undefined` where there is no socket, or it has gone already. */
  readonly local?: Endpoint | undefined;
}

/** Address and port of a socket's other end; "" and 0 for a UNIX socket, and for one that has gone already. */
export function peerOf(socket: Socket): Peer {
  return new SocketPeer(socket);
}

/** Asks for the near end when somebody wants to know it: few do. */
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

/** An IP address in the one form that it is compared and logged in: IPv6 as short as may be (RFC 5952), IPv4 never within IPv6. */
export function plainAddress(ip: string): string {
  return isIPv6(ip) ? unmapped(new SocketAddress({ address: ip, family: "ipv6" }).address) : ip;
}

/** A socket that listens on all addresses, IPv6 and IPv4, writes the latter in the form of the former (RFC 4291 2.5.5.2). */
function unmapped(ip: string): string {
  return ip.startsWith(mapped) && ip.includes(".") ? ip.slice(mapped.length) : ip;
}

const mapped = "::ffff:";
