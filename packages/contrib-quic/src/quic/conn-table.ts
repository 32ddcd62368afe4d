// The connections of a local address, by the IDs that packets are sent to: those that we gave, and for the first
// packets those that clients chose. Clients may choose the same: such an ID counts together with the address of its
// client. A successor of a server receives the packets of its predecessor's connections, too, and finds them here.

import type { DatagramSockets, Endpoint } from "@hemi/internal";

/** Takes the packets of a connection. */
export interface PacketReceiver {
  /** The bytes may be changed. */
  received(datagram: Buffer, from: Endpoint): void;
}

export class ConnTable {
  static readonly #all = new WeakMap<DatagramSockets, Map<string, ConnTable>>();
  readonly #conns = new Map<string, PacketReceiver>();

  /** The table of an address of these sockets. */
  static of(sockets: DatagramSockets, { address, port }: Endpoint): ConnTable {
    const tables = ConnTable.#all.get(sockets) ?? new Map<string, ConnTable>();
    ConnTable.#all.set(sockets, tables);
    const key = `${address} ${port}`;
    const table = tables.get(key) ?? new ConnTable();
    tables.set(key, table);
    return table;
  }

  find(connId: string): PacketReceiver | undefined {
    return this.#conns.get(connId);
  }

  add(connId: string, conn: PacketReceiver): void {
    this.#conns.set(connId, conn);
  }

  remove(connId: string): void {
    this.#conns.delete(connId);
  }
}

/** The text that stands for an ID here. A Buffer of a few bytes would keep all of its slab, or of its datagram. */
export function connIdKey(connId: Buffer): string {
  return connId.toString("latin1");
}

/** The text that stands for an ID that a client has chosen. */
export function chosenIdKey({ address, port }: Endpoint, connId: Buffer): string {
  return `${address} ${port} ${connIdKey(connId)}`;
}
