// The connections of a local address, by the IDs that packets are sent to. A successor of a server receives the packets
// of its predecessor's connections, too, and finds them here.

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

  find(connId: Buffer): PacketReceiver | undefined {
    return this.#conns.get(keyOf(connId));
  }

  add(connId: Buffer, conn: PacketReceiver): void {
    this.#conns.set(keyOf(connId), conn);
  }

  remove(connId: Buffer): void {
    this.#conns.delete(keyOf(connId));
  }
}

function keyOf(connId: Buffer): string {
  return connId.toString("latin1");
}
