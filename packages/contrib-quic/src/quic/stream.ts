// A stream of a QUIC connection, as a stream of Node.js: bidirectional, or one that only one side sends on.
//
//   QuicConn.read ──> push, as fast as it is read          write ──> StreamOutput ──> QuicConn, as fast as it is taken
//
// A stream that either side breaks off is destroyed as a whole; its error says by which code.

import { Duplex } from "node:stream";
import { guardListeners } from "@hemi/common";
import type { QuicConn } from "./conn.ts";
import { StreamOutput } from "../http3/stream-output.ts";

/** Why a stream was broken off. */
export class QuicStreamError extends Error {
  /** The code of the peer's application; `undefined`: it gave none. */
  readonly streamCode: number | undefined;

  constructor(message: string, streamCode: number | undefined) {
    super(message);
    this.streamCode = streamCode;
  }
}

/** What a stream needs of its connection. */
export interface QuicStreamHost {
  readonly quic: QuicConn;
  /** How codes of the application are sent. Default: as they are. */
  readonly codes?: StreamCodes;
  /** Not all that was written has been taken: `flush` is to be called when more may be. */
  blocked(stream: QuicStream): void;
  /** Nothing more is read or written. */
  over(stream: QuicStream): void;
  /** A listener of the stream has thrown this, or its promise rejects with it. Must not throw. */
  threw(stream: QuicStream, error: unknown): void;
}

/** Codes of the application, and what stands for them on the wire. */
export interface StreamCodes {
  toWire(code: number): number;
  /** `undefined`: it stands for none. */
  fromWire(code: number): number | undefined;
}

/** Which directions a stream has, as we see them. */
export interface StreamDirections {
  readonly reads: boolean;
  readonly writes: boolean;
}

/** A stream of a connection. An error that nobody listens for is dropped: it ends no process. */
export class QuicStream extends Duplex {
  /** That of QUIC (RFC 9000 2.1). */
  readonly id: number;
  /** Whether both sides send on it. */
  readonly isBidirectional: boolean;
  readonly #host: QuicStreamHost;
  readonly #codes: StreamCodes;
  readonly #output: StreamOutput;
  readonly #directions: StreamDirections;
  #wantsMore = false;
  #hasEnded = false;
  /** Called when what was written has been taken. */
  #taken: ((error?: Error) => void) | undefined;
  /** The code that it is broken off with. */
  #code: number;

  constructor(id: number, host: QuicStreamHost, directions: StreamDirections) {
    super(optionsOf(directions));
    this.id = id;
    this.isBidirectional = directions.reads && directions.writes;
    this.#host = host;
    this.#codes = host.codes ?? sameCodes;
    this.#code = this.#codes.toWire(0);
    this.#directions = directions;
    this.#output = new StreamOutput(host.quic, id);
    this.on("error", () => undefined);
    guardListeners(this, { fail: (error) => host.threw(this, error) });
  }

  /** Whether the client has opened it. */
  get isOfClient(): boolean {
    return this.id % 2 === 0;
  }

  /** Breaks it off, both ways, with a code for the peer's application, from 0 to 2^32 - 1. */
  reset(code: number): void {
    this.#code = this.#codes.toWire(code);
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
        return this.#brokenOff("the peer has reset the stream", piece.resetBy);
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

  /** Its connection, or what it belongs to on it, is over. `code`: as it is sent. */
  gone(code: number): void {
    this.#code = code;
    this.destroy(new QuicStreamError("the connection is over", undefined));
  }

  /** Whether this is why the stream was broken off: then it is no fault of who reads or writes it. */
  isBrokenBy(error: unknown): boolean {
    return error instanceof QuicStreamError && this.errored === error;
  }

  /** Looks whether the peer takes no more of it. */
  lookForStop(): void {
    if (!this.#directions.writes || this.writableFinished || this.destroyed) return;
    if (this.#host.quic.isStopped(this.id)) this.#brokenOff("the peer takes no more of the stream", undefined);
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
    if (this.#output.isStopped) return this.#brokenOff("the peer takes no more of the stream", undefined);
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
    this.destroy(new QuicStreamError(message, code === undefined ? undefined : this.#codes.fromWire(code)));
  }
}

/** The types of Node.js know less than it does. */
function optionsOf({ reads, writes }: StreamDirections) {
  return { allowHalfOpen: true, readable: reads, writable: writes };
}

const sameCodes: StreamCodes = { toWire: (code) => code, fromWire: (code) => code };
const nothing = Buffer.alloc(0);
