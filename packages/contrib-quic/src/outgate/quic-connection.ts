// A connection of QUIC whose protocol is the user's own: streams of both sides, as streams of Node.js, and datagrams.

import { guarded } from "@hemi/common";
import type { QuicConn, QuicConnUser } from "../quic/conn.ts";
import { QuicStream, type QuicStreamHost, type StreamDirections } from "../quic/stream.ts";

/**
 * What happens on a connection. What a function or a listener of a stream throws, or its promise rejects with, is
 * logged, and ends the connection; but for the error of a stream that the server has broken off.
 */
export interface QuicConnectionEvents {
  /** The server has opened a stream. Default: it may open none. */
  stream?(stream: QuicStream): void | Promise<void>;
  /** The server has sent a datagram (RFC 9221). Some may be lost, or come in another order. Default: it may not. */
  datagram?(bytes: Buffer): void | Promise<void>;
  /** The connection is over. Called once. `reason`: `undefined` if we have closed it. */
  closed?(reason: string | undefined): void | Promise<void>;
}

/** What a connection needs of its outgate. */
export interface QuicConnectionOwner {
  /** Tells the server that it is over. */
  close(code: number): void;
  /** What a user's function has thrown. */
  failed(error: unknown): void;
}

/** A connection to a server, whose handshake is complete. */
export class QuicConnection implements QuicConnUser, QuicStreamHost {
  /** The protocol that the server has chosen of those that were offered (ALPN). */
  readonly nextProto: string;
  readonly quic: QuicConn;
  readonly #owner: QuicConnectionOwner;
  readonly #events: QuicConnectionEvents;
  readonly #streams = new Map<number, QuicStream>();
  readonly #blocked = new Set<QuicStream>();
  #isOver = false;

  /** Connections are made by `quicOutgate`. */
  constructor(quic: QuicConn, nextProto: string, events: QuicConnectionEvents, owner: QuicConnectionOwner) {
    this.quic = quic;
    this.nextProto = nextProto;
    this.#owner = owner;
    this.#events = events;
  }

  /** Whether nothing can be sent any more. */
  get isClosed(): boolean {
    return this.#isOver || this.quic.isClosed;
  }

  /** Opens a stream that both sides send on. `undefined`: the server allows no more of them now. */
  openStream(): QuicStream | undefined {
    return this.#open(this.quic.openBidi(), { reads: true, writes: true });
  }

  /** Opens a stream that only we send on. `undefined`: the server allows no more of them now. */
  openUniStream(): QuicStream | undefined {
    return this.#open(this.quic.openUni(), { reads: false, writes: true });
  }

  /** Sends a datagram, which may be lost. False: it was dropped, because it is too large, or too many wait. */
  sendDatagram(bytes: Uint8Array): boolean {
    const isTaken = this.quic.sendDatagram(bytes);
    this.quic.flush();
    return isTaken;
  }

  /** The largest datagram that can be sent now, in bytes; 0: the server takes none. */
  get maxDatagramSize(): number {
    return this.quic.maxDatagramSize;
  }

  /** Ends the connection, and its streams, with a code of the application's protocol. */
  close(code: number): void {
    if (!this.#isOver) this.#owner.close(code);
  }

  // ---- for its transport ----

  advance(): void {
    for (const id of this.quic.readable()) (this.#streams.get(id) ?? this.#arrived(id))?.advance();
    this.#readDatagrams();
    for (const stream of [...this.#blocked]) {
      stream.flush();
      if (!stream.isBlocked) this.#blocked.delete(stream);
    }
  }

  closed(): void {
    // The outgate is told by the transport, with the reason.
  }

  /** The connection is over. */
  ended(reason: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const stream of [...this.#streams.values()]) stream.gone(0);
    this.#guarded(() => this.#events.closed?.(reason));
  }

  // ---- for its streams ----

  blocked(stream: QuicStream): void {
    this.#blocked.add(stream);
  }

  over(stream: QuicStream): void {
    this.#streams.delete(stream.id);
    this.#blocked.delete(stream);
  }

  threw(stream: QuicStream, error: unknown): void {
    this.#failed(error, stream);
  }

  #open(id: number | undefined, directions: StreamDirections): QuicStream | undefined {
    if (id === undefined) return undefined;
    const stream = new QuicStream(id, this, directions);
    this.#streams.set(id, stream);
    return stream;
  }

  /** A stream that is not known, or not any more. */
  #arrived(id: number): QuicStream | undefined {
    const isOurs = id % 2 === 0;
    const stream = isOurs ? undefined : this.#open(id, { reads: true, writes: id % 4 === 1 });
    if (stream !== undefined) this.#guarded(() => this.#events.stream?.(stream), stream);
    return stream;
  }

  #readDatagrams(): void {
    for (let count = 0; count < maxDatagramsOfTurn; count++) {
      const datagram = this.quic.receiveDatagram();
      if (datagram === undefined) return;
      this.#guarded(() => this.#events.datagram?.(datagram));
    }
    // The rest in the next turn.
    setImmediate(() => this.quic.flush());
  }

  #guarded(run: () => unknown, stream?: QuicStream): void {
    guarded(run, (error) => this.#failed(error, stream));
  }

  /** `stream`: the one whose user has failed. */
  #failed(error: unknown, stream?: QuicStream): void {
    if (stream?.isBrokenBy(error) === true) return;
    this.#owner.failed(error);
    this.close(0);
  }
}

/** Other connections have their turn, too. */
const maxDatagramsOfTurn = 256;
