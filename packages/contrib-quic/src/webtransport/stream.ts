// A stream of a WebTransport session, as a stream of Node.js: bidirectional, or one that only one side sends on.
//
//   QuicConn.read ──> push, as fast as it is read          write ──> StreamOutput ──> QuicConn, as fast as it is taken
//
// A stream that either side breaks off is destroyed as a whole; its error says by which code.

import { Duplex } from "node:stream";
import type { QuicConn } from "../quic/conn.ts";
import { StreamOutput } from "../http3/stream-output.ts";
import { fromHttp3Code, toHttp3Code } from "./codes.ts";

/** Why a stream was broken off. */
export class WebTransportStreamError extends Error {
  /** The code of the peer's application; `undefined`: it gave none. */
  readonly streamCode: number | undefined;

  constructor(message: string, streamCode: number | undefined) {
    super(message);
    this.streamCode = streamCode;
  }
}

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly quic: QuicConn;
  /** Not all that was written has been taken: `flush` is to be called when more may be. */
  blocked(stream: WebTransportStream): void;
  /** Nothing more is read or written. */
  over(stream: WebTransportStream): void;
}

/** Which directions a stream has, as the server sees them. */
export interface StreamDirections {
  readonly reads: boolean;
  readonly writes: boolean;
}

/** A stream of a session. An error that nobody listens for is dropped: it ends no process. */
export class WebTransportStream extends Duplex {
  /** Of the QUIC stream. */
  readonly id: number;
  /** Whether the client has opened it. */
  readonly isOfClient: boolean;
  /** Whether both sides send on it. */
  readonly isBidirectional: boolean;
  readonly #host: StreamHost;
  readonly #output: StreamOutput;
  readonly #directions: StreamDirections;
  #wantsMore = false;
  #hasEnded = false;
  /** Called when what was written has been taken. */
  #taken: ((error?: Error) => void) | undefined;
  /** The code that it is broken off with. */
  #code: number = toHttp3Code(0);

  constructor(id: number, host: StreamHost, directions: StreamDirections, isOfClient: boolean) {
    super(optionsOf(directions));
    this.id = id;
    this.isOfClient = isOfClient;
    this.isBidirectional = directions.reads && directions.writes;
    this.#host = host;
    this.#directions = directions;
    this.#output = new StreamOutput(host.quic, id);
    this.on("error", () => undefined);
  }

  /** Breaks it off, both ways, with a code for the client's application, from 0 to 2^32 - 1. */
  reset(code: number): void {
    this.#code = toHttp3Code(code);
    this.destroy();
  }

  // ---- for its connection ----

  /** What was read with its head. */
  begin(head: Buffer, rest: Buffer, isEnd: boolean): void {
    if (head.length > 0) this.#output.write(head, head.length, false);
    if (this.#output.isBlocked) this.#host.blocked(this);
    if (rest.length > 0) this.push(rest);
    if (isEnd) this.#endReading();
  }

  /** Something may have come. */
  advance(): void {
    while (this.#wantsMore && !this.#hasEnded && !this.destroyed) {
      const piece = this.#host.quic.read(this.id);
      if (piece === undefined) return;
      if ("resetBy" in piece) {
        this.#hasEnded = true;
        return this.#brokenOff("the client has reset the stream", piece.resetBy);
      }
      if (piece.bytes.length > 0) this.#wantsMore = this.push(piece.bytes);
      if (piece.isEnd) this.#endReading();
    }
  }

  /** More may be taken. */
  flush(): void {
    this.#output.flush();
    this.#settle();
  }

  get isBlocked(): boolean {
    return this.#output.isBlocked && !this.#output.isStopped && !this.destroyed;
  }

  /** Its session or its connection is over. */
  gone(code: number): void {
    this.#code = code;
    this.destroy(new WebTransportStreamError("the session is over", undefined));
  }

  /** Looks whether the client takes no more of it. */
  lookForStop(): void {
    if (!this.#directions.writes || this.writableFinished || this.destroyed) return;
    if (this.#host.quic.isStopped(this.id)) this.#brokenOff("the client takes no more of the stream", undefined);
  }

  // ---- for Node.js ----

  override _read(): void {
    this.#wantsMore = true;
    this.advance();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.#send(bytes, false, taken);
  }

  override _final(taken: (error?: Error | null) => void): void {
    this.#send(nothing, true, taken);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { quic } = this.#host;
    if (this.#directions.writes && !this.#output.hasEnded) {
      this.#output.drop();
      quic.reset(this.id, this.#code);
    }
    if (this.#directions.reads && !this.#hasEnded) quic.stop(this.id, this.#code);
    quic.flush();
    this.#taken = undefined;
    this.#host.over(this);
    done(error);
  }

  #send(bytes: Buffer, isEnd: boolean, taken: (error?: Error) => void): void {
    this.#output.write(bytes, 0, isEnd);
    this.#host.quic.flush();
    this.#taken = taken;
    this.#settle();
    if (this.isBlocked) this.#host.blocked(this);
  }

  #settle(): void {
    if (this.#output.isStopped) return this.#brokenOff("the client takes no more of the stream", undefined);
    if (this.#output.isBlocked) return;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  #endReading(): void {
    this.#hasEnded = true;
    this.push(null);
  }

  #brokenOff(message: string, code: number | undefined): void {
    this.destroy(new WebTransportStreamError(message, code === undefined ? undefined : fromHttp3Code(code)));
  }
}

/** The types of Node.js know less than it does. */
function optionsOf({ reads, writes }: StreamDirections) {
  return { allowHalfOpen: true, readable: reads, writable: writes };
}

const nothing = Buffer.alloc(0);
