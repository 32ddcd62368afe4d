// The other end of a socket, and the client behind it.

import { isIPv6, SocketAddress, type Socket } from "node:net";
import { BareConn } from "./bare-conn.ts";
import { handleOf } from "./handle-of.ts";

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

/**
 * Address and port of a socket's other end; "" and 0 for a UNIX socket, and for a closed one. A TCP socket that does
 * not know them any more is destroyed: its client has reset it, and what it sent before that, which can still be read,
 * would pass all checks of addresses as that of nobody.
 */
export function peerOf(socket: Socket | BareConn): Peer {
  return new SocketPeer(socket);
}

/**
 * The same, but the socket is asked at the first use, which costs 2 us and 200 bytes: "" and 0 if it is closed by then.
 */
export function peerOnDemand(socket: Socket | BareConn): Peer {
  return new OnDemandPeer(socket);
}

/** The peer as it is now, and stays when its socket is closed. */
export function askNow(peer: Peer): Peer {
  return peer instanceof OnDemandPeer ? peer.asked : peer;
}

/** Reads the local end on demand, because it is rarely needed. */
class SocketPeer implements Peer {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket | BareConn;

  constructor(socket: Socket | BareConn) {
    const { remoteAddress = "", remotePort = 0 } = socket;
    if (remoteAddress === "" && isOpenTcp(socket)) socket.destroy();
    this.address = unmapped(remoteAddress);
    this.port = remotePort;
    this.#socket = socket;
  }

  get local(): Endpoint | undefined {
    return localOf(this.#socket);
  }
}

class OnDemandPeer implements Peer {
  readonly #socket: Socket | BareConn;
  #asked: Peer | undefined;

  constructor(socket: Socket | BareConn) {
    this.#socket = socket;
  }

  get asked(): Peer {
    return (this.#asked ??= peerOf(this.#socket));
  }

  get address(): string {
    return this.asked.address;
  }

  get port(): number {
    return this.asked.port;
  }

  get local(): Endpoint | undefined {
    return localOf(this.#socket);
  }
}

/** Sockets of UNIX have no such names. */
function isOpenTcp(socket: Socket | BareConn): boolean {
  if (socket instanceof BareConn) return !socket.destroyed;
  const handle = handleOf(socket);
  return handle !== undefined && "getpeername" in handle;
}

function localOf({ localAddress, localPort }: Socket | BareConn): Endpoint | undefined {
  return localAddress === undefined || localPort === undefined
    ? undefined
    : { address: unmapped(localAddress), port: localPort };
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
