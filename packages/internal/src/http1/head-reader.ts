// Reads the heads of requests out of a connection's input, one after the other, without reading anything more often
// than it must.

import { Buffer } from "node:buffer";
import { copyBytes, isSameBytes } from "../http/bytes.ts";
import type { Input } from "../net/input.ts";
import { BadHead } from "./bad-head.ts";
import { type KnownFields, readHttp1RequestHead, type Http1RequestHead, type RequestHeadLimits } from "./head.ts";
import type { FieldsTerms, RequestFields } from "./request-fields.ts";

export class HeadReader implements KnownFields {
  readonly #input: Input;
  #last: Http1RequestHead | undefined;
  /** Begins with the bytes of the last head: its fields, then its request line, which changes more often. */
  #lastBytes = noBytes;
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
    if (this.#last?.fits(limits) === false) this.#last = undefined;
    const head = this.#repeated() ?? this.#read(isAll, limits);
    // Who reads the content may keep it.
    if (head === undefined || head instanceof BadHead || head.contentSize !== 0) input.own();
    return head;
  }

  #read(isAll: boolean, limits: RequestHeadLimits): Http1RequestHead | BadHead | undefined {
    const input = this.#input;
    const { bytes, at, size } = input;
    if (size < this.#retrySize && !isAll && !this.#hasWholeHead()) return undefined;
    const head = readHttp1RequestHead(bytes, at, bytes.length, limits, this);
    if (head === undefined || head instanceof BadHead) {
      this.#retrySize = Math.min(size * 2, limits.maxHeadSize);
      return head;
    }
    input.at = head.end;
    this.#retrySize = 0;
    this.#remember(head, bytes);
    return head;
  }

  /**
   * The last head, if it stands in the input again: clients ask for the same over and over, and what was read of it
   * still holds.
   */
  #repeated(): Http1RequestHead | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const input = this.#input;
    const { bytes, at, size } = input;
    const { fields } = last;
    const lineSize = last.size - fields.size;
    if (size < last.size || !isSameBytes(bytes, at, this.#lastBytes, fields.size, lineSize)) return undefined;
    if (!this.#haveStayed(fields, bytes, at + lineSize, bytes.length)) return undefined;
    input.at += last.size;
    return last;
  }

  /** Most requests of a client differ in their targets only. */
  findFields(bytes: Buffer, start: number, end: number, terms: FieldsTerms): RequestFields | undefined {
    const last = this.#last;
    if (last?.version !== terms.version || last.namesAuthority !== terms.namesAuthority) return undefined;
    const { fields } = last;
    return this.#haveStayed(fields, bytes, start, end) ? fields : undefined;
  }

  /** Whether the fields of the last head stand in these bytes. */
  #haveStayed({ size }: RequestFields, bytes: Buffer, start: number, end: number): boolean {
    const last = this.#lastBytes;
    // Where two of them differ, they most often differ in their size.
    const probe = Math.max(size - 5, 0);
    if (end - start < size || bytes[start + probe] !== last[probe]) return false;
    return isSameBytes(bytes, start, last, 0, size);
  }

  #remember(head: Http1RequestHead, bytes: Buffer): void {
    const former = this.#last;
    this.#last = head.size <= maxRemembered ? head : undefined;
    if (this.#last === undefined) return;
    const { fields, size, end } = head;
    let haveStayed = fields === former?.fields;
    if (size > this.#lastBytes.length) {
      this.#lastBytes = Buffer.allocUnsafeSlow(Math.ceil(size / sizeStep) * sizeStep);
      haveStayed = false;
    }
    if (!haveStayed) bytes.copy(this.#lastBytes, 0, end - fields.size, end);
    copyBytes(bytes, end - size, this.#lastBytes, fields.size, size - fields.size);
  }

  #hasWholeHead(): boolean {
    return this.#input.bytes.indexOf("\r\n\r\n", this.#input.at, "latin1") >= 0;
  }
}

const noBytes = Buffer.alloc(0);

/**
 * A head of at most this size, in bytes, is remembered. No prop: it only makes reading cheaper, and what it costs an
 * idle connection is less than the socket does.
 */
const maxRemembered = 2048;
/** In bytes: a head that is a little longer than the last one needs no new memory. */
const sizeStep = 64;
