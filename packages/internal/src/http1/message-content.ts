// The content of one HTTP/1 message, read out of the connection's input as it is asked for (RFC 9112 section 6).

import type { Input } from "../net/input.ts";
import { noFields, type Fields } from "../http/fields.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import { ChunkedReader } from "./chunked.ts";

export interface MessageLimits extends HeadLimits {
  /** Of content that no handlet read, in bytes: so much is read away to keep the connection. */
  readonly maxDiscardedContent: number;
}

/** Where a message's content ends, and how much of it has been read. */
export class MessageContent {
  /** In bytes, as far as it has been read. */
  read = 0;
  /** All of it has been read. */
  done: boolean;
  /** Why it is broken; it can not be read further then. */
  failure: string | undefined;
  /** Bytes still to come, of sized content. */
  #left: number;
  readonly #chunked: ChunkedReader | undefined;
  readonly #limits: MessageLimits;

  /** `isResponse`: a node sends it, see `ChunkedReader`. */
  constructor(size: number | undefined, limits: MessageLimits, isResponse = false) {
    this.#limits = limits;
    this.#left = size ?? 0;
    this.done = size === 0;
    if (size === undefined) this.#chunked = new ChunkedReader(limits, isResponse);
  }

  get trailers(): Fields {
    return this.#chunked?.trailers ?? noFields;
  }

  /** So little is known to come that reading it away costs less than another connection. */
  get isSoonOver(): boolean {
    return this.done || (this.#chunked === undefined && this.#left <= this.#limits.maxDiscardedContent);
  }

  /** The next piece in the input; `undefined` when there is none yet, at the end, and on failure. */
  next(input: Input): Buffer | undefined {
    if (this.done || this.failure !== undefined) return undefined;
    const piece = this.#chunked === undefined ? this.#nextSized(input) : this.#nextChunked(input, this.#chunked);
    if (piece !== undefined) this.read += piece.length;
    return piece;
  }

  /** Throws away what is in the input of this content. True when all of it has been read. */
  discard(input: Input): boolean {
    while (this.next(input) !== undefined);
    return this.done;
  }

  #nextSized(input: Input): Buffer | undefined {
    const { bytes, at } = input;
    if (at === bytes.length) return undefined;
    const piece = bytes.subarray(at, Math.min(bytes.length, at + this.#left));
    input.at += piece.length;
    this.#left -= piece.length;
    if (this.#left === 0) this.done = true;
    return piece;
  }

  #nextChunked(input: Input, reader: ChunkedReader): Buffer | undefined {
    const piece = reader.next(input.bytes, input.at, input.bytes.length);
    input.at = reader.at;
    this.done = reader.done;
    this.failure = reader.failure;
    return piece;
  }
}

/** The content of requests that have none: there is nothing in it to change. */
export const noContent = new MessageContent(0, { maxHeadSize: 0, maxFields: 0, maxDiscardedContent: 0 });
