// Reads the heads of requests out of a connection's input, one after the other, without reading anything more often
// than it must.

import { isSameBytes } from "../http/bytes.ts";
import type { Input } from "../net/input.ts";
import { BadHead, readHttp1RequestHead, type Http1RequestHead, type RequestHeadLimits } from "./head.ts";

export class HeadReader {
  readonly #input: Input;
  #last: Http1RequestHead | undefined;
  /**
   * An incomplete head is not read again before the input has this size: else each byte of a slow one would cost a
   * reading.
   */
  #retrySize = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  /**
   * Takes the next head out of the input. Returns it, or why it is refused, or `undefined` while it is not complete:
   * then call again when there is more. `isAll`: there will not be more.
   */
  next(isAll: boolean, limits: RequestHeadLimits): Http1RequestHead | BadHead | undefined {
    const input = this.#input;
    const { size } = input;
    const isWorthReading = size >= this.#retrySize || isAll || this.#hasWholeHead();
    const repeated = this.#repeated(size);
    if (repeated !== undefined) {
      input.at += repeated.end - repeated.start;
      if (repeated.contentSize !== 0) input.own();
      return repeated;
    }
    input.own();
    if (!isWorthReading) return undefined;
    const head = readHttp1RequestHead(input.bytes, input.at, input.bytes.length, limits);
    if (head === undefined || head instanceof BadHead) {
      this.#retrySize = Math.min(size * 2, limits.maxHeadSize);
      return head;
    }
    input.at = head.end;
    this.#retrySize = 0;
    this.#last = head.bytes.length <= maxRemembered ? head : undefined;
    return head;
  }

  /**
   * The last head, if it stands in the input again: clients ask for the same over and over, and what was read of it
   * still holds.
   */
  #repeated(available: number): Http1RequestHead | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const size = last.end - last.start;
    const { bytes, at } = this.#input;
    if (available < size || bytes[at + size - 5] !== last.bytes[last.end - 5]) return undefined;
    return isSameBytes(bytes, at, last.bytes, last.start, size) ? last : undefined;
  }

  #hasWholeHead(): boolean {
    return this.#input.bytes.indexOf("\r\n\r\n", this.#input.at, "latin1") >= 0;
  }
}

/**
 * A head is remembered if the input that it lies in, and keeps in memory, is no longer than this, in bytes. No prop: it
 * only makes reading cheaper, and what it costs an idle connection is less than the socket does.
 */
const maxRemembered = 2048;
