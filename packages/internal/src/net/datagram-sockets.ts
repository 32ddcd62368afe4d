// The sockets of the process that receive datagrams. They are independent of stages and generations: a successor joins
// the existing socket and gets its datagrams from then on.
//
// Node does not tell to which of the machine's addresses a datagram was sent. An answer has to come from that address,
// so there is one socket for each address, also where all addresses are asked for.

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { sharing } from "@hemi/common";
import { cannotListen } from "./bound-socket.ts";
import type { Endpoint } from "./peer.ts";

/** Receives a datagram. The bytes may be kept. */
export type DatagramReceiver = (bytes: Buffer, from: Endpoint, share: DatagramShare) => void;

/** A share of a socket, for one router. The socket closes when the last share is released. */
export interface DatagramShare {
  /** Where it receives: an IP address and the assigned port. */
  readonly local: Endpoint;
  /** Directs datagrams to this receiver from now on. */
  receive(receiver: DatagramReceiver): void;
  /**
   * Sends a datagram from the address that it receives at. Returns whether its bytes may be used again at once: what
   * the system cannot take now waits, up to `maxSendQueue`. More is lost.
   */
  send(bytes: Buffer, to: Endpoint): boolean;
  /** Directs datagrams back to the previous receiver, if there is one. Calling it twice is harmless. */
  release(): Promise<void>;
}

/** Where datagrams are to be received. */
export interface DatagramBinding {
  /** An IP address, or "" for all addresses that the machine has now, but link-local ones. Port 0 takes a free port. */
  readonly address: { readonly host: string; readonly port: number };
  /** Whether several processes share the address: the system assigns each client to one of them. */
  readonly isShared: boolean;
}

/** The sockets for datagrams of a process, by address. */
export class DatagramSockets {
  readonly #sockets = new Map<string, DatagramSocket>();

  /** Binds, or joins what is bound already: one share for each local address. Rejects with HEMI_LISTEN. */
  async share({ address, isShared }: DatagramBinding): Promise<readonly DatagramShare[]> {
    const shares: DatagramShare[] = [];
    let { port } = address;
    try {
      for (const host of address.host === "" ? localAddresses() : [address.host]) {
        const share = await this.#shareOne({ address: host, port }, isShared);
        // All addresses have the same port.
        ({ port } = share.local);
        shares.push(share);
      }
    } catch (error) {
      await Promise.all(shares.map((share) => share.release()));
      throw error;
    }
    return shares;
  }

  async #shareOne(local: Endpoint, isShared: boolean): Promise<DatagramShare> {
    const known = this.#sockets.get(keyOf(local));
    if (known !== undefined && local.port !== 0) return known.join();
    const closed = (): unknown => this.#sockets.delete(keyOf(socket.local));
    // Whoever shares the address later uses the same socket.
    const socket: DatagramSocket = await sharing(() => DatagramSocket.bind(local, isShared, closed));
    this.#sockets.set(keyOf(socket.local), socket);
    return socket.join();
  }
}

class DatagramSocket {
  readonly local: Endpoint;
  readonly #socket: Socket;
  readonly #closed: () => void;
  readonly #shares = new Set<DatagramShare>();
  /** The last one gets the datagrams. */
  #receiving: { readonly share: DatagramShare; readonly receiver: DatagramReceiver }[] = [];

  private constructor(socket: Socket, closed: () => void) {
    const { address, port } = socket.address();
    this.local = { address, port };
    this.#socket = socket;
    this.#closed = closed;
    // Reports of the network about earlier answers, for example.
    socket.on("error", () => undefined);
    socket.on("message", (bytes, from) => {
      // Whoever sends so asks for no answer (RFC 768), and Node.js throws when one is sent.
      if (from.port === 0) return;
      const current = this.#receiving.at(-1);
      current?.receiver(bytes, from, current.share);
    });
  }

  static bind({ address, port }: Endpoint, isShared: boolean, closed: () => void): Promise<DatagramSocket> {
    const type = isIPv6(address) ? "udp6" : "udp4";
    const socket = createSocket({
      type,
      ipv6Only: type === "udp6",
      reusePort: isShared,
      lookup: numericOnly,
      recvBufferSize: receiveBuffer,
    });
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        socket.close();
        reject(cannotListen(keyOf({ address, port }), error, undefined));
      };
      socket.once("error", failed);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off("error", failed);
        resolve(new DatagramSocket(socket, closed));
      });
    });
  }

  join(): DatagramShare {
    const socket = this.#socket;
    const share: DatagramShare = {
      local: this.local,
      receive: (receiver) => {
        this.#receiving.push({ share, receiver });
      },
      send(bytes, { address, port }) {
        if (socket.getSendQueueSize() >= maxSendQueue) return true;
        socket.send(bytes, port, address);
        return socket.getSendQueueSize() === 0;
      },
      release: () => this.#release(share),
    };
    this.#shares.add(share);
    return share;
  }

  #release(share: DatagramShare): Promise<void> {
    if (!this.#shares.delete(share)) return Promise.resolve();
    this.#receiving = this.#receiving.filter((each) => each.share !== share);
    if (this.#shares.size > 0) return Promise.resolve();
    this.#closed();
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}

/** For sockets that are only given IP addresses: without it, each datagram costs a lookup of its address. */
export function numericOnly(
  address: string,
  _options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  // Called for each datagram: `isIPv6` would cost more than all the rest here.
  done(null, address, address.includes(":") ? 6 : 4);
}

/**
 * In bytes: what the system may keep of datagrams until they are read; it gives as much of it as it allows. Its default
 * is fewer datagrams than a QUIC connection has on their way.
 */
export const receiveBuffer = 4 * 1024 * 1024;

/** In bytes. Datagrams may be lost; a queue would only make them late. */
export const maxSendQueue = 1024 * 1024;

function localAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(all.filter(({ scopeid = 0 }) => scopeid === 0).map(({ address }) => address))];
}

function keyOf({ address, port }: Endpoint): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
