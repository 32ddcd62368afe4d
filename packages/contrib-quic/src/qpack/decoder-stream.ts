// The decoder stream of a peer (RFC 9204 4.4): what it has read of our sections and inserts.

import { errorCode, Http3ConnError } from "../http3/errors.ts";
import { PrefixReader } from "./prefix-reader.ts";

export class DecoderStream {
  readonly #inserted: () => number;
  /** The begin of an instruction whose rest has not come. */
  #rest: Buffer | undefined;
  /** By stream: sections that refer to the dynamic table and are not acknowledged. */
  readonly #open = new Map<number, number>();
  /** Inserts that the peer has told us of. */
  knownInserts = 0;

  /** `inserted`: how many inserts we have sent. */
  constructor(inserted: () => number) {
    this.#inserted = inserted;
  }

  /** Whether a section of this stream may refer to the table: not so for a peer that acknowledges nothing. */
  canTrack(streamId: number): boolean {
    return this.#open.size < maxOpen || this.#open.has(streamId);
  }

  /** A section that refers to the table was written. */
  track(streamId: number): void {
    this.#open.set(streamId, (this.#open.get(streamId) ?? 0) + 1);
  }

  /** Throws QPACK_DECODER_STREAM_ERROR. */
  push(bytes: Buffer): void {
    const reader = new PrefixReader(this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]));
    let done = 0;
    while (!reader.isAtEnd) {
      this.#follow(reader);
      if (reader.failure === "broken") throw wrong("an instruction cannot be read");
      if (reader.failure === "cutOff") break;
      done = reader.at;
    }
    this.#rest = reader.restFrom(done);
  }

  #follow(reader: PrefixReader): void {
    const first = reader.next;
    const value = reader.integer(first >= 0x80 ? 0x7f : 0x3f);
    if (reader.hasFailed()) return;
    if (first >= 0x80) this.#acknowledged(value);
    else if (first >= 0x40) this.#open.delete(value);
    else this.#incremented(value);
  }

  #acknowledged(streamId: number): void {
    const open = this.#open.get(streamId);
    if (open === undefined) throw wrong("it acknowledges a section that needs no acknowledgment");
    if (open === 1) this.#open.delete(streamId);
    else this.#open.set(streamId, open - 1);
  }

  #incremented(by: number): void {
    if (by === 0 || this.knownInserts + by > this.#inserted()) throw wrong("it knows of inserts that were never sent");
    this.knownInserts += by;
  }
}

function wrong(reason: string): Http3ConnError {
  return new Http3ConnError(errorCode.qpackDecoderStreamError, reason);
}

/** Streams whose sections are not acknowledged. No prop: beyond it, sections only become longer. */
const maxOpen = 1000;
