// A connection that a client has begun, with its IDs and its addresses.
//
// A connection stays with the address that it was begun from: a packet from another one is dropped. The library has
// faults where a connection has several paths (CVE-2025-7054).

import type { ClientTerms, DatagramShare, Endpoint } from "@hemi/internal";
import { errorCode } from "../http3/errors.ts";
import type { QuicConnUser } from "./conn.ts";
import type { ConnTable, PacketReceiver } from "./conn-table.ts";
import { hostPort, type NativeConn, type PacketPath } from "./native.ts";
import { QuicheConn, type QuicheConnOwner } from "./quiche-conn.ts";

/** Who is told of a connection. */
export interface AcceptedConnListener {
  /** Bytes that bring nothing, and how soon (in ms) they are allowed again. */
  readonly overhead: { readonly max: number; readonly recovery: number };
  /** The handshake is complete, or early data is here. */
  established(conn: AcceptedConn): QuicConnUser;
  /** The connection is over. */
  gone(conn: AcceptedConn): void;
  failed(conn: AcceptedConn, error: unknown): void;
}

/** Where a connection is. */
export interface ConnPlace {
  readonly share: DatagramShare;
  readonly table: ConnTable;
  isDirty(conn: AcceptedConn): void;
}

export interface AcceptedConnOptions {
  /** What the client sends to, as the table has them. */
  readonly ids: readonly string[];
  readonly remote: Endpoint;
  /** What the client has to show. */
  readonly terms: ClientTerms;
}

export class AcceptedConn implements PacketReceiver, QuicheConnOwner {
  readonly conn: QuicheConn;
  readonly remote: Endpoint;
  readonly terms: ClientTerms;
  readonly floodCode = errorCode.excessiveLoad;
  readonly #place: ConnPlace;
  readonly #ids: readonly string[];
  readonly #listener: AcceptedConnListener;
  readonly #path: PacketPath;

  constructor(native: NativeConn, place: ConnPlace, listener: AcceptedConnListener, options: AcceptedConnOptions) {
    this.remote = options.remote;
    this.terms = options.terms;
    this.#place = place;
    this.#ids = options.ids;
    this.#listener = listener;
    this.#path = { from: hostPort(options.remote), to: hostPort(place.share.local) };
    this.conn = new QuicheConn(native, true, this);
    for (const id of this.#ids) place.table.add(id, this);
  }

  /** Our end of the connection. */
  get local(): Endpoint {
    return this.#place.share.local;
  }

  received(datagram: Buffer, from: Endpoint): void {
    if (from.port !== this.remote.port || from.address !== this.remote.address) return;
    this.conn.received(datagram, this.#path);
  }

  // ---- what the connection asks for ----

  get overhead(): QuicheConnOwner["overhead"] {
    return this.#listener.overhead;
  }

  send(datagram: Buffer): boolean {
    return this.#place.share.send(datagram, this.remote);
  }

  isDirty(): void {
    this.#place.isDirty(this);
  }

  established(): QuicConnUser {
    return this.#listener.established(this);
  }

  gone(): void {
    for (const id of this.#ids) this.#place.table.remove(id);
    this.#listener.gone(this);
  }

  failed(_conn: QuicheConn, error: unknown): void {
    this.#listener.failed(this, error);
  }
}
