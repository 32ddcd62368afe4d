// The WebTransport sessions of a connection: which stream and which datagram belongs to which.
//
//   stream: signal, session ID ──> its session ──> its user
//                                └── not opened yet: waits, with few others
//   datagram: quarter of the session ID ──> its session, or dropped

import type { Duplex } from "node:stream";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "../http3/errors.ts";
import { kindOfStream, streamKind } from "../http3/frames.ts";
import { readVarint, varint, varintSize } from "@hemi/common";
import { bidiSignal, fromHttp3Code, streamCode, toHttp3Code, uniStreamType } from "./codes.ts";
import { WebTransportSession, type SessionHost } from "./session.ts";
import { QuicStream, type QuicStreamHost, type StreamCodes, type StreamDirections } from "../quic/stream.ts";

export interface ConnSessionsOptions {
  readonly quic: QuicConn;
  /** Sessions at once. Read at each use: live. */
  readonly maxSessions: () => number;
  /** What a user's function has thrown. */
  readonly failed: (error: unknown) => void;
  /** A stream that is refused, or nobody's. Throws H3_EXCESSIVE_LOAD for a flood of them. */
  readonly refused: () => void;
}

/** A stream of a session that is not known yet. */
interface EarlyStream {
  readonly stream: QuicStream;
  readonly sessionId: number;
}

/** The session that a stream of CONNECT carries. */
const sessionsByTunnel = new WeakMap<Duplex, WebTransportSession>();

/** The session of a tunnel; `undefined`: it carries none. */
export function sessionOf(tunnel: Duplex): WebTransportSession | undefined {
  return sessionsByTunnel.get(tunnel);
}

export class ConnSessions implements SessionHost, QuicStreamHost {
  readonly quic: QuicConn;
  readonly codes = sessionCodes;
  readonly #options: ConnSessionsOptions;
  readonly #sessions = new Map<number, WebTransportSession>();
  readonly #streams = new Map<number, QuicStream>();
  readonly #owners = new Map<QuicStream, WebTransportSession>();
  readonly #blocked = new Set<QuicStream>();
  /** In the order of their coming. */
  readonly #early = new Map<number, EarlyStream>();
  /** Unidirectional streams whose session ID has not come in full. */
  readonly #heads = new Map<number, Buffer>();

  constructor(options: ConnSessionsOptions) {
    this.quic = options.quic;
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#sessions.size >= this.#options.maxSessions();
  }

  /** A session is opened by the stream of a CONNECT. */
  opened(id: number, tunnel: Duplex): void {
    const session = new WebTransportSession(id, tunnel, this);
    this.#sessions.set(id, session);
    sessionsByTunnel.set(tunnel, session);
    // Its user is known when this turn is over.
    setImmediate(() => this.#giveEarly(session));
  }

  // ---- what comes ----

  /** A bidirectional stream of the client, from behind its session ID on. */
  bidiArrived(id: number, sessionId: number, rest: Buffer, isEnd: boolean): void {
    this.#arrived(id, sessionId, rest, isEnd, { reads: true, writes: true });
  }

  /** A unidirectional stream of the client, from behind its type on. */
  uniArrived(id: number, bytes: Buffer, isEnd: boolean): void {
    const sessionId = readVarint(bytes, 0);
    if (sessionId >= 0) {
      this.#heads.delete(id);
      const rest = bytes.subarray(varintSize(bytes[0] ?? 0));
      this.#arrived(id, sessionId, rest, isEnd, { reads: true, writes: false });
    } else if (isEnd) this.#heads.delete(id);
    else this.#heads.set(id, Buffer.from(bytes));
  }

  /** Reads a stream, if it belongs to a session. False: it does not. */
  readable(id: number): boolean {
    const stream = this.#streams.get(id);
    if (stream !== undefined) {
      stream.advance();
      return true;
    }
    const head = this.#heads.get(id);
    if (head === undefined) return false;
    const piece = this.quic.read(id);
    if (piece === undefined) return true;
    if ("resetBy" in piece) this.#heads.delete(id);
    else this.uniArrived(id, Buffer.concat([head, piece.bytes]), piece.isEnd);
    return true;
  }

  /** Reads datagrams, and sends on what waits. Throws the errors of the connection. */
  advance(): void {
    if (this.#sessions.size > 0) this.#readDatagrams();
    for (const stream of [...this.#blocked]) {
      stream.flush();
      if (!stream.isBlocked) this.#blocked.delete(stream);
    }
  }

  /** Looks for clients that take no more of a stream: nothing else tells. */
  lookForStops(): void {
    for (const stream of [...this.#streams.values()]) stream.lookForStop();
  }

  /** The connection is over. */
  end(): void {
    for (const { stream } of [...this.#early.values()]) stream.gone(streamCode.sessionGone);
    // The sessions hear it by their tunnels.
    this.#heads.clear();
  }

  // ---- what sessions and streams ask for ----

  open(session: WebTransportSession, isBidirectional: boolean): QuicStream | undefined {
    const id = isBidirectional ? this.quic.openBidi() : this.quic.openUni();
    if (id === undefined) return undefined;
    const stream = this.#make(id, { reads: isBidirectional, writes: true });
    this.#owners.set(stream, session);
    const type = isBidirectional ? bidiSignal : uniStreamType;
    stream.begin(Buffer.concat([varint(type), varint(session.id)]), nothing, false);
    this.quic.flush();
    return stream;
  }

  sendDatagram(sessionId: number, bytes: Uint8Array): boolean {
    const isTaken = this.quic.sendDatagram(Buffer.concat([varint(sessionId / 4), bytes]));
    this.quic.flush();
    return isTaken;
  }

  maxDatagramSize(sessionId: number): number {
    return Math.max(0, this.quic.maxDatagramSize - varint(sessionId / 4).length);
  }

  failed(error: unknown): void {
    this.#options.failed(error);
  }

  blocked(stream: QuicStream): void {
    this.#blocked.add(stream);
  }

  over(gone: QuicStream | WebTransportSession): void {
    if (gone instanceof WebTransportSession) return void this.#sessions.delete(gone.id);
    this.#streams.delete(gone.id);
    this.#blocked.delete(gone);
    this.#early.delete(gone.id);
    this.#owners.get(gone)?.streamOver(gone);
    this.#owners.delete(gone);
  }

  threw(stream: QuicStream, error: unknown): void {
    const session = this.#owners.get(stream);
    if (session !== undefined) session.threw(error, stream);
    // The session is over, or the stream is: it is nobody's any more.
    else if (!stream.isBrokenBy(error)) this.failed(error);
  }

  #arrived(id: number, sessionId: number, rest: Buffer, isEnd: boolean, directions: StreamDirections): void {
    if (kindOfStream(sessionId) !== streamKind.clientBidi)
      throw new Http3ConnError(errorCode.idError, "a stream names a session that cannot be one");
    const stream = this.#make(id, directions);
    stream.begin(nothing, rest, isEnd);
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) return this.#give(stream, session);
    this.#early.set(id, { stream, sessionId });
    if (this.#early.size <= maxEarly) return;
    const [oldest] = this.#early.values();
    oldest?.stream.gone(streamCode.bufferedStreamRejected);
    this.#options.refused();
  }

  #make(id: number, directions: StreamDirections): QuicStream {
    const stream = new QuicStream(id, this, directions);
    this.#streams.set(id, stream);
    return stream;
  }

  #give(stream: QuicStream, session: WebTransportSession): void {
    this.#owners.set(stream, session);
    session.streamArrived(stream);
    if (stream.destroyed) this.#options.refused();
  }

  #giveEarly(session: WebTransportSession): void {
    for (const [id, { stream, sessionId }] of [...this.#early]) {
      if (sessionId !== session.id) continue;
      this.#early.delete(id);
      this.#owners.set(stream, session);
      session.streamArrived(stream);
    }
  }

  #readDatagrams(): void {
    for (let count = 0; count < maxDatagramsOfTurn; count++) {
      const datagram = this.quic.receiveDatagram();
      if (datagram === undefined) return;
      const quarter = readVarint(datagram, 0);
      // RFC 9297 2.1.
      if (quarter < 0) throw new Http3ConnError(errorCode.datagramError, "a datagram of it names no stream");
      const content = datagram.subarray(varintSize(datagram[0] ?? 0));
      this.#sessions.get(quarter * 4)?.datagramArrived(content);
    }
    // The rest in the next turn.
    this.quic.flush();
  }
}

const sessionCodes: StreamCodes = { toWire: toHttp3Code, fromWire: fromHttp3Code };
const nothing = Buffer.alloc(0);

/** Streams that came before the session that they name. No prop: a client sends few before it has an answer. */
const maxEarly = 16;
/** Other connections have their turn, too. */
const maxDatagramsOfTurn = 256;
