// Where a server receives datagrams of QUIC, at one local address.
//
//   datagram ── its connection ID is known ────────────────────────────> that connection
//      └ Initial ── wrong version ──> version negotiation
//          ├ many handshakes run, or `retry` ──> Retry; its token proves the client's address
//          ├ all clients get the same certificate ─────────────────────────────────> a new connection
//          └ the ClientHello, which may take datagrams ──> certificate of its name ──> a new connection
//
// The ClientHello is read only where its server name decides: that takes a tenth of all that a handshake costs.
//
// Until its address is proven a client is sent three times what it has sent at most (RFC 9000 8.1), which the library
// sees to. What is no Initial and belongs to no connection is dropped.

import type { DatagramShare, DatagramSockets, Endpoint } from "@hemi/internal";
import { ClientInitial, type QuicHello } from "../initial/client-initial.ts";
import { isLongHeader, quicVersion, readLongHeader, type LongHeader } from "../initial/long-header.ts";
import { AcceptedConn, type AcceptedConnListener } from "./accepted-conn.ts";
import { connIdSize, type ConnIds } from "./conn-ids.ts";
import { chosenIdKey, ConnTable, connIdKey, type PacketReceiver } from "./conn-table.ts";
import { hostPort, type NativeQuic } from "./native.ts";
import { QuicheConn } from "./quiche-conn.ts";
import type { WorkerRelay } from "./worker-relay.ts";
import type { RetryTokens } from "./retry-tokens.ts";
import type { SiteConfig } from "./site-configs.ts";

/** The server of an endpoint. */
export interface QuicAcceptor extends AcceptedConnListener {
  readonly native: NativeQuic;
  readonly tokens: RetryTokens;
  /** New connections are taken. */
  readonly isOpen: boolean;
  /**
   * Whether clients have to prove their address now, before anything is kept for them. `hellos`: how many clients are
   * at their ClientHello.
   */
  demandsRetry(hellos: number): boolean;
  /** Makes the connection IDs that we give. */
  readonly ids: ConnIds;
  /** To the other workers that share the address; `undefined`: there are none. */
  readonly relay: Pick<WorkerRelay, "pass" | "passNew"> | undefined;
  /** Whether a client may have one more connection. */
  admits(client: Endpoint): boolean;
  /** The settings and the certificate of all clients. `undefined`: `configFor` says which a client gets. */
  readonly soleConfig: SiteConfig | undefined;
  /** The settings and the certificate for a client. `undefined`: it is refused. */
  configFor(hello: QuicHello): SiteConfig | undefined | Promise<SiteConfig | undefined>;
  /** A handshake begins. */
  began(conn: AcceptedConn): void;
  /** A ClientHello could not be read, or has not come in full. */
  handshakeFailed(client: Endpoint, reason: string): void;
  /** How long the pieces of a ClientHello may take, in ms. */
  readonly helloTimeout: number;
  /** How many clients may be at it at once. */
  readonly maxHellos: number;
}

/** A client whose ClientHello has not come in full. */
interface Hello {
  readonly initial: ClientInitial;
  readonly datagrams: Buffer[];
  readonly since: number;
  /** The certificate is being looked for. */
  isRead: boolean;
}

/** A client whose connection begins. */
interface NewClient {
  /** What its first packet was sent to. */
  readonly dcid: Buffer;
  /** The connection ID that it chose first, where it has come back after a Retry. */
  readonly originalDcid: Buffer | undefined;
  readonly from: Endpoint;
}

export class QuicEndpoint {
  readonly share: DatagramShare;
  readonly table: ConnTable;
  readonly #acceptor: QuicAcceptor;
  /** By client and connection ID. */
  readonly #hellos = new Map<string, Hello>();
  #dirty = new Set<AcceptedConn>();
  #turn: NodeJS.Immediate | undefined;

  constructor(share: DatagramShare, sockets: DatagramSockets, acceptor: QuicAcceptor) {
    this.share = share;
    this.table = ConnTable.of(sockets, share.local);
    this.#acceptor = acceptor;
  }

  /** Receives from now on. */
  open(): void {
    this.share.receive((datagram, from) => this.#take(datagram, from, false));
  }

  /** Another worker has received a datagram, and has passed it on. */
  relayed(datagram: Buffer, from: Endpoint): void {
    this.#take(datagram, from, true);
  }

  async close(): Promise<void> {
    this.#hellos.clear();
    clearImmediate(this.#turn);
    await this.share.release();
  }

  /** At the end of this turn of the event loop the connection reads and sends. */
  isDirty(conn: AcceptedConn): void {
    this.#dirty.add(conn);
    this.#turn ??= setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#turn = undefined;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const { conn } of dirty) conn.makePackets();
    QuicheConn.sendPackets();
  }

  #take(datagram: Buffer, from: Endpoint, isRelayed: boolean): void {
    try {
      this.#received(datagram, from, isRelayed);
    } catch (error) {
      this.#acceptor.handshakeFailed(from, error instanceof Error ? error.message : String(error));
    }
  }

  #received(datagram: Buffer, from: Endpoint, isRelayed: boolean): void {
    const header = isLongHeader(datagram[0] ?? 0) ? readLongHeader(datagram) : undefined;
    const connId = header?.dcid ?? datagram.subarray(1, 1 + connIdSize);
    // Only packets with long headers are sent to IDs that clients choose (RFC 9000 7.2).
    const begun = (): PacketReceiver | undefined => header && this.table.find(chosenIdKey(from, header.dcid));
    const known = this.table.find(connIdKey(connId)) ?? begun();
    if (known !== undefined) return known.received(datagram, from);
    const { isOpen, relay } = this.#acceptor;
    const { local } = this.share;
    if (!isRelayed && relay?.pass(datagram, from, local, connId) === true) return;
    // RFC 9000 14.1, 6.1.
    if (header === undefined || datagram.length < minInitialDatagram) return;
    if (!isOpen) {
      if (!isRelayed && header.isInitial) relay?.passNew(datagram, from, local);
      return;
    }
    if (header.version !== quicVersion) return this.#negotiate(header, from);
    if (header.isInitial && header.dcid.length >= minConnId) this.#initial(datagram, header, from);
  }

  #initial(datagram: Buffer, header: LongHeader, from: Endpoint): void {
    if (datagram.length > maxInitialDatagram) return;
    const { tokens, native } = this.#acceptor;
    const originalDcid = header.token.length > 0 ? tokens.read(header.token, from, header.dcid) : undefined;
    const key = chosenIdKey(from, header.dcid);
    const known = this.#hellos.get(key);
    if (known === undefined && originalDcid === undefined && this.#acceptor.demandsRetry(this.#hellos.size)) {
      const newId = this.#acceptor.ids.make();
      const packet = Buffer.alloc(minInitialDatagram);
      const token = tokens.make(from, header.dcid, newId);
      const size = native.retry(header.scid, header.dcid, newId, token, quicVersion, packet);
      this.share.send(packet.subarray(0, size), from);
      return;
    }
    const client: NewClient = { dcid: header.dcid, originalDcid, from };
    const sole = known === undefined ? this.#acceptor.soleConfig : undefined;
    if (sole !== undefined) {
      if (this.#acceptor.admits(from)) this.#acceptUnread(sole, datagram, client);
      return;
    }
    const hello = known ?? this.#beginHello(key, header.dcid, from);
    if (hello === undefined || hello.datagrams.length >= maxHelloDatagrams) return;
    hello.datagrams.push(datagram);
    if (hello.isRead) return;
    const read = hello.initial.push(datagram);
    if (hello.initial.isBroken) {
      this.#hellos.delete(key);
      return this.#acceptor.handshakeFailed(from, "its first packets hold no ClientHello");
    }
    if (read === undefined) return;
    hello.isRead = true;
    const config = this.#acceptor.configFor(read);
    const accept = (config: SiteConfig | undefined): void => {
      // It may have been dropped while its certificate was looked for, or the endpoint be closed.
      if (this.#hellos.get(key) !== hello) return;
      this.#hellos.delete(key);
      // Others may have begun meanwhile.
      if (!this.#acceptor.admits(from)) return;
      if (config === undefined) return this.#acceptor.handshakeFailed(from, noCertificateFor(read));
      const conn = this.#accept(config, client);
      for (const datagram of hello.datagrams) conn.received(datagram, from);
    };
    if (config instanceof Promise) {
      config.then(accept, (error: unknown) => {
        this.#hellos.delete(key);
        this.#acceptor.handshakeFailed(from, error instanceof Error ? error.message : String(error));
      });
    } else accept(config);
  }

  /** Begins a connection of a client by its first datagram, which nobody has read. */
  #acceptUnread(config: SiteConfig, datagram: Buffer, client: NewClient): void {
    const conn = this.#accept(config, client);
    conn.received(datagram, client.from);
    const error = conn.conn.native.localError();
    if (error === null || error.errorCode >= firstTlsAlert) return;
    // Not made with the keys of its connection ID: junk is not answered, and nothing is kept for it.
    conn.conn.abandon();
    this.#acceptor.handshakeFailed(client.from, "its first packet cannot be read");
  }

  #accept(config: SiteConfig, { dcid, originalDcid, from }: NewClient): AcceptedConn {
    // After a Retry the client uses the ID that we have given it.
    const scid = originalDcid === undefined ? this.#acceptor.ids.make() : Buffer.from(dcid);
    const { local } = this.share;
    const native = this.#acceptor.native.Connection.accept(
      scid,
      originalDcid ?? null,
      hostPort(local),
      hostPort(from),
      config.native,
    );
    const conn = new AcceptedConn(native, this, this.#acceptor, {
      ids: [connIdKey(scid), chosenIdKey(from, dcid)],
      remote: { address: from.address, port: from.port },
      terms: config.terms,
    });
    this.#acceptor.began(conn);
    return conn;
  }

  #beginHello(key: string, dcid: Buffer, from: Endpoint): Hello | undefined {
    const now = performance.now();
    if (this.#hellos.size >= this.#acceptor.maxHellos) this.#dropOldHellos(now);
    if (this.#hellos.size >= this.#acceptor.maxHellos || !this.#acceptor.admits(from)) return undefined;
    const hello = { initial: new ClientInitial(dcid, quicVersion), datagrams: [], since: now, isRead: false };
    this.#hellos.set(key, hello);
    return hello;
  }

  #dropOldHellos(now: number): void {
    for (const [key, { since }] of this.#hellos) {
      if (now - since < this.#acceptor.helloTimeout) break;
      this.#hellos.delete(key);
    }
  }

  #negotiate({ scid, dcid }: LongHeader, to: Endpoint): void {
    const packet = Buffer.alloc(minInitialDatagram);
    const size = this.#acceptor.native.negotiateVersion(scid, dcid, packet);
    this.share.send(packet.subarray(0, size), to);
  }
}

function noCertificateFor({ serverName }: QuicHello): string {
  return serverName === "" ? "it names no server" : `there is no certificate for ${serverName}`;
}

/** Errors of a connection from here on are alerts of TLS (RFC 9001 4.8). */
const firstTlsAlert = 0x100;
/** Of those that clients choose (RFC 9000 7.2), in bytes. */
const minConnId = 8;
/** In bytes (RFC 9000 14.1). */
const minInitialDatagram = 1200;
/** In bytes: what any network brings. A client knows no larger limit of ours yet. */
const maxInitialDatagram = 1500;
/** A ClientHello of 16 KiB has as many. */
const maxHelloDatagrams = 16;
