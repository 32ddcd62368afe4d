// The unidirectional streams of a peer (RFC 9114 6.2, RFC 9204 4.2): each begins with its type.
//
//   0x00 control ──> frames     0x02 QPACK encoder ──> our decoder     0x03 QPACK decoder ──> our encoder
//   0x01 push ─────> an error                 any other: it is asked to stop, and passed over

import { readVarint, varintSize } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, Http3ConnError } from "./errors.ts";
import { streamType } from "./frames.ts";

/** Who reads the streams that we know. Each may throw the errors of the connection. */
export interface PeerStreamReaders {
  readonly control: (bytes: Buffer) => void;
  readonly encoder: (bytes: Buffer) => void;
  readonly decoder: (bytes: Buffer) => void;
  /** A push has begun. Throws: a client must not, and a server must not unasked. */
  readonly push: () => never;
  /** A stream of another type has begun. True: someone else reads it, from these bytes on. Default: nobody does. */
  readonly other?: (id: number, type: number, bytes: Buffer, isEnd: boolean) => boolean;
  /** A stream has begun that nobody reads. */
  readonly unknown: () => void;
}

interface PeerStream {
  /** Of the type, until it is complete; `undefined`: nothing of it. */
  begin: Buffer | undefined;
  /** `undefined`: the type is not known yet, or nobody reads it. */
  read: ((bytes: Buffer) => void) | undefined;
  isCritical: boolean;
}

export class PeerStreams {
  readonly #quic: QuicConn;
  readonly #readers: PeerStreamReaders;
  readonly #streams = new Map<number, PeerStream>();
  /** Types that there is a stream of already, each a bit: those that we know are small numbers. */
  #types = 0;

  constructor(quic: QuicConn, readers: PeerStreamReaders) {
    this.#quic = quic;
    this.#readers = readers;
  }

  /** Reads what has come on a stream. Throws the errors of the connection. */
  advance(id: number): void {
    const stream = this.#streams.get(id) ?? { begin: undefined, read: undefined, isCritical: false };
    this.#streams.set(id, stream);
    for (;;) {
      const piece = this.#quic.read(id);
      if (piece === undefined) return;
      if ("resetBy" in piece) return this.#ended(id, stream);
      if (stream.read !== undefined) stream.read(piece.bytes);
      else this.#begin(id, stream, piece.bytes, piece.isEnd);
      if (piece.isEnd) return this.#ended(id, stream);
      if (!this.#streams.has(id)) return;
    }
  }

  #begin(id: number, stream: PeerStream, bytes: Buffer, isEnd: boolean): void {
    const begin = stream.begin === undefined ? bytes : Buffer.concat([stream.begin, bytes]);
    const type = readVarint(begin, 0);
    if (type < 0) {
      stream.begin = begin;
      return;
    }
    const rest = begin.subarray(varintSize(begin[0] ?? 0));
    stream.begin = undefined;
    const read = this.#readerOf(type);
    if (read === undefined) {
      this.#streams.delete(id);
      if (this.#readers.other?.(id, type, rest, isEnd) === true) return;
      this.#readers.unknown();
      return this.#quic.stop(id, errorCode.streamCreationError);
    }
    if ((this.#types & (1 << type)) !== 0)
      throw new Http3ConnError(errorCode.streamCreationError, `it began a second stream of type ${type}`);
    this.#types |= 1 << type;
    stream.isCritical = true;
    stream.read = read;
    if (rest.length > 0) read(rest);
  }

  #readerOf(type: number): ((bytes: Buffer) => void) | undefined {
    switch (type) {
      case streamType.control:
        return this.#readers.control;
      case streamType.qpackEncoder:
        return this.#readers.encoder;
      case streamType.qpackDecoder:
        return this.#readers.decoder;
      case streamType.push:
        return this.#readers.push();
      default:
        return undefined;
    }
  }

  #ended(id: number, { isCritical }: PeerStream): void {
    this.#streams.delete(id);
    if (isCritical)
      throw new Http3ConnError(errorCode.closedCriticalStream, "it closed its control stream or one of QPACK");
  }
}
