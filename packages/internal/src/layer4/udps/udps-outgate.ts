// udpsOutgate: datagrams to addresses that no backend names, for servers such as socksServer.

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { judgeHost, type JudgedHost } from "../../net/allowed-addresses.ts";
import { ClientCounts, clientOf } from "../../net/client-counts.ts";
import { maxSendQueue, numericOnly } from "../../net/datagram-sockets.ts";
import { plainAddress, type Endpoint } from "../../net/peer.ts";
import type { Context } from "../../stage/context.ts";
import { defineOutgate } from "../../stage/kinds/outgate.ts";

const props = {
  /** Maximum number of concurrent associations. One more is refused. */
  maxAssociations: prop.integer({ default: 1000, min: 1, max: 1_000_000, reload: "live" }),
  /**
   * Maximum number of concurrent associations of one client: an IPv4 address, or a /64 network of IPv6. One more is
   * refused.
   */
  maxAssociationsPerClient: prop.integer({ default: 250, min: 1, max: 1_000_000, reload: "live" }),
  /** Maximum number of addresses that one association sends to. The datagrams of others are dropped. */
  maxDestinations: prop.integer({ default: 1000, min: 1, max: 100_000, reload: "live" }),
};

/**
 * Datagrams of UDP to hosts that no backend names, for `socksServer`, `tunnelServer` and `udpohServer`. Every stage has
 * one, whether its configuration mentions it or not.
 */
export const udpsOutgate = defineOutgate({
  sign: "udpsOutgate",
  props,
  create: (context) => new UdpsOutgate(context),
});

/** Sends and receives datagrams for one client. */
export interface Association {
  /** Sends a datagram to an IP address that `judge` has named. False: it is dropped, because of a limit. */
  send(datagram: Buffer, to: Endpoint): boolean;
  /** Receives nothing more. Calling it twice is harmless. */
  close(): void;
}

/** Sends datagrams to hosts that no backend names. */
export class UdpsOutgate implements Part {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #associations = new Set<OpenAssociation>();
  readonly #clients = new ClientCounts();

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  /** Closes all associations. */
  shutdown(): void {
    for (const association of this.#associations) association.close();
  }

  /** As `judge` of tcpsOutgate. */
  judge(host: string, allowed: { contains(ip: string): boolean }): Promise<JudgedHost> {
    return judgeHost(host, this.#context.stage.namer, allowed);
  }

  /**
   * Begins an association for the client of an IP address, which ends with `close`. `received` gets the datagrams of
   * those addresses that it has sent to, and of no others. `undefined`: there are too many, or the client has.
   */
  associate(address: string, received: (datagram: Buffer, from: Endpoint) => void): Association | undefined {
    const { props } = this.#context;
    const client = clientOf(address);
    if (this.#associations.size >= props.maxAssociations) return undefined;
    if (this.#clients.of(client) >= props.maxAssociationsPerClient) return undefined;
    const association = new OpenAssociation(props, received, () => {
      this.#associations.delete(association);
      this.#clients.remove(client);
    });
    this.#associations.add(association);
    this.#clients.add(client);
    return association;
  }
}

class OpenAssociation implements Association {
  readonly #settings: { readonly maxDestinations: number };
  readonly #received: (datagram: Buffer, from: Endpoint) => void;
  readonly #closed: () => void;
  /** One for each family of addresses, made at its first use. */
  readonly #sockets = new Map<"udp4" | "udp6", Socket>();
  readonly #destinations = new Set<string>();
  #isClosed = false;

  constructor(
    settings: { readonly maxDestinations: number },
    received: (datagram: Buffer, from: Endpoint) => void,
    closed: () => void,
  ) {
    this.#settings = settings;
    this.#received = received;
    this.#closed = closed;
  }

  send(datagram: Buffer, to: Endpoint): boolean {
    if (this.#isClosed) return false;
    const key = keyOf(to);
    if (!this.#destinations.has(key)) {
      if (this.#destinations.size >= this.#settings.maxDestinations) return false;
      this.#destinations.add(key);
    }
    const socket = this.#socketFor(isIPv6(to.address) ? "udp6" : "udp4");
    if (socket.getSendQueueSize() >= maxSendQueue) return false;
    socket.send(datagram, to.port, to.address);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.close();
    this.#closed();
  }

  #socketFor(type: "udp4" | "udp6"): Socket {
    const known = this.#sockets.get(type);
    if (known !== undefined) return known;
    const socket = createSocket({ type, lookup: numericOnly });
    // A destination that cannot be reached: datagrams to it are lost.
    socket.on("error", () => undefined);
    socket.on("message", (bytes, { address, port }) => {
      const from = { address: plainAddress(address), port };
      if (!this.#isClosed && this.#destinations.has(keyOf(from))) this.#received(bytes, from);
    });
    this.#sockets.set(type, socket);
    return socket;
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${plainAddress(address)} ${port}`;
}
