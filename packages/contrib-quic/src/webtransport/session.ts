// A WebTransport session: streams of both sides, and datagrams, on a connection of HTTP/3 that may have others.

import type { Duplex } from "node:stream";
import { guarded } from "@hemi/common";
import { capsule, CapsuleReader } from "@hemi/internal";
import { maxCode, sessionCapsule, streamCode } from "./codes.ts";
import type { QuicStream } from "../quic/stream.ts";

/**
 * What happens in a session. What a function or a listener of a stream throws, or its promise rejects with, is logged,
 * and ends the session; but for the error of a stream that the client has broken off.
 */
export interface WebTransportEvents {
  /** The client has opened a stream. Default: it is refused. */
  stream?(stream: QuicStream): void | Promise<void>;
  /** The client has sent a datagram. Some may be lost, or come in another order. Default: it is dropped. */
  datagram?(bytes: Buffer): void | Promise<void>;
  /** The session is over. Called once. */
  closed?(end: SessionEnd): void | Promise<void>;
}

/** How a session ended. */
export interface SessionEnd {
  /** Of the application that has closed it; 0: none was given. */
  readonly code: number;
  /** Likewise; "" for none. */
  readonly reason: string;
  /** Whether it was closed in order, by either side: otherwise its connection has broken off. */
  readonly isClean: boolean;
}

/** The limits of a session. */
export interface SessionSettings {
  /** Of both sides together. */
  readonly maxSessionStreams: number;
  /** In ms. */
  readonly closeTimeout: number;
}

/** What a session needs of its connection. */
export interface SessionHost {
  /** Opens a stream of ours; `undefined`: the client allows no more of them now. */
  open(session: WebTransportSession, isBidirectional: boolean): QuicStream | undefined;
  /** False: it was dropped. */
  sendDatagram(sessionId: number, bytes: Uint8Array): boolean;
  /** In bytes; 0: the client takes none. */
  maxDatagramSize(sessionId: number): number;
  /** It is to get nothing more. */
  over(session: WebTransportSession): void;
  /** What a user's function has thrown. */
  failed(error: unknown): void;
}

/** A session with a client. */
export class WebTransportSession {
  /** That of the stream that has opened it. */
  readonly id: number;
  isClosed = false;
  readonly #host: SessionHost;
  readonly #tunnel: Duplex;
  readonly #streams = new Set<QuicStream>();
  #events: WebTransportEvents = {};
  #settings: SessionSettings = { maxSessionStreams: 0, closeTimeout: 0 };
  #end: SessionEnd | undefined;

  constructor(id: number, tunnel: Duplex, host: SessionHost) {
    this.id = id;
    this.#tunnel = tunnel;
    this.#host = host;
  }

  /** Opens a stream that both sides send on. `undefined`: the client allows no more of them now. */
  openStream(): QuicStream | undefined {
    return this.#open(true);
  }

  /** Opens a stream that only we send on. `undefined`: the client allows no more of them now. */
  openUniStream(): QuicStream | undefined {
    return this.#open(false);
  }

  /** Sends a datagram, which may be lost. False: it was dropped here, because it is too large, or too many wait. */
  sendDatagram(bytes: Uint8Array): boolean {
    return !this.isClosed && this.#host.sendDatagram(this.id, bytes);
  }

  /** The largest datagram that can be sent now, in bytes; 0: the client takes none. */
  get maxDatagramSize(): number {
    return this.isClosed ? 0 : this.#host.maxDatagramSize(this.id);
  }

  /** Closes it with a code from 0 to 2^32 - 1, and a reason, which is cut to 1024 bytes of UTF-8. */
  close(code = 0, reason = ""): void {
    if (this.isClosed) return;
    if (!Number.isInteger(code) || code < 0 || code > maxCode) throw new RangeError(`${code} is no code of a session`);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(code);
    const text = cutText(reason);
    const limit = setTimeout(() => this.#tunnel.destroy(), this.#settings.closeTimeout);
    this.#tunnel.once("close", () => clearTimeout(limit));
    this.#tunnel.end(capsule(sessionCapsule.close, head, Buffer.from(text)));
    this.#over({ code, reason: text, isClean: true });
  }

  // ---- for acceptWebTransport ----

  /** From here on it is used. The settings are read at each use. */
  begin(events: WebTransportEvents, settings: SessionSettings): void {
    this.#events = events;
    this.#settings = settings;
    const capsules = new CapsuleReader({
      maxCapsuleSize: (type) => (type === sessionCapsule.close ? maxCloseSize : undefined),
      capsuleReceived: (_type, value) => this.#closedByClient(value),
    });
    this.#tunnel.on("data", (bytes: Buffer) => {
      if (!capsules.push(bytes)) this.#tunnel.destroy();
    });
    this.#tunnel.on("end", () => {
      this.#tunnel.end();
      this.#over({ code: 0, reason: "", isClean: true });
    });
    this.#tunnel.on("error", () => undefined);
    this.#tunnel.on("close", () => this.#over({ code: 0, reason: "", isClean: false }));
  }

  // ---- for its connection ----

  streamArrived(stream: QuicStream): void {
    if (this.isClosed) return stream.gone(streamCode.sessionGone);
    if (this.#events.stream === undefined || this.#streams.size >= this.#settings.maxSessionStreams) {
      return stream.gone(streamCode.bufferedStreamRejected);
    }
    this.#streams.add(stream);
    this.#guarded(() => this.#events.stream?.(stream), stream);
  }

  datagramArrived(bytes: Buffer): void {
    if (!this.isClosed) this.#guarded(() => this.#events.datagram?.(bytes));
  }

  streamOver(stream: QuicStream): void {
    this.#streams.delete(stream);
  }

  /** The user has failed: at a stream, if it is given. That the stream is broken off is no fault of the user's. */
  threw(error: unknown, stream?: QuicStream): void {
    if (stream?.isBrokenBy(error) === true) return;
    this.#host.failed(error);
    if (this.#end === undefined) this.close(0, "");
  }

  #open(isBidirectional: boolean): QuicStream | undefined {
    if (this.isClosed || this.#streams.size >= this.#settings.maxSessionStreams) return undefined;
    const stream = this.#host.open(this, isBidirectional);
    if (stream !== undefined) this.#streams.add(stream);
    return stream;
  }

  #closedByClient(value: Buffer): void {
    if (value.length < 4) return void this.#tunnel.destroy();
    this.#tunnel.end();
    this.#over({ code: value.readUInt32BE(), reason: value.toString("utf8", 4), isClean: true });
  }

  #over(end: SessionEnd): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#end = end;
    for (const stream of [...this.#streams]) stream.gone(streamCode.sessionGone);
    this.#host.over(this);
    this.#guarded(() => this.#events.closed?.(end));
  }

  #guarded(run: () => unknown, stream?: QuicStream): void {
    guarded(run, (error) => this.threw(error, stream));
  }
}

/** Cuts a text to as much of UTF-8 as a reason may have, between two characters. */
function cutText(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxReason) return text;
  let end = maxReason;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** In bytes. */
const maxReason = 1024;
const maxCloseSize = 4 + maxReason;
