// Reads content in the chunked coding (RFC 9112 section 7.1), strictly, piece by piece.
//
//   1A;name=value CRLF  <26 bytes> CRLF  …  0 CRLF  trailer: fields CRLF  CRLF
//   └── size ──────────┘└─ data ──┘└end┘    └──────── trailers ──────────────┘

import type { HeadLimits } from "../http/head-limits.ts";
import { ListedFields, noFields, type Fields } from "../http/fields.ts";
import { COLON, CR, hexValue, isTokenByte, isValueByte, LF, SP, TAB } from "../http/bytes.ts";

type Expected = "size" | "data" | "data end" | "trailers" | "nothing";

/** The state of one chunked content. */
export class ChunkedReader {
  /** How far the last call to `next` has read: what lies behind it must be given again, with more. */
  at = 0;
  /** All has been read, trailers too. */
  done = false;
  /** Why the content is broken; nothing more can be read then. */
  failure: string | undefined;
  trailers: Fields = noFields;
  readonly #limits: HeadLimits;
  readonly #isResponse: boolean;
  #expected: Expected = "size";
  /** Bytes of the current chunk still to come. */
  #left = 0;

  /**
   * `isResponse`: white space behind a chunk size, with which some servers pad it, around the signs of its extensions
   * (RFC 9112 7.1.1), and before the colon of a trailer field (5.1) is passed over. In a request it is refused: it
   * could hide another request from whoever reads it in another way.
   */
  constructor(limits: HeadLimits, isResponse = false) {
    this.#limits = limits;
    this.#isResponse = isResponse;
  }

  /**
   * The next stretch of content in `bytes` between `at` and `end`; `undefined` when more input is needed, at the end,
   * and on failure.
   */
  next(bytes: Buffer, at: number, end: number): Buffer | undefined {
    this.at = at;
    while (this.failure === undefined) {
      switch (this.#expected) {
        case "size":
          if (!this.#readSize(bytes, end)) return undefined;
          break;
        case "data": {
          if (this.at === end) return undefined;
          const piece = bytes.subarray(this.at, Math.min(end, this.at + this.#left));
          this.at += piece.length;
          this.#left -= piece.length;
          if (this.#left === 0) this.#expected = "data end";
          return piece;
        }
        case "data end":
          if (end - this.at < 2) return undefined;
          if (bytes[this.at] !== CR || bytes[this.at + 1] !== LF) this.#fail("a chunk is longer than its size");
          this.at += 2;
          this.#expected = "size";
          break;
        case "trailers":
          if (!this.#readTrailers(bytes, end)) return undefined;
          break;
        case "nothing":
          return undefined;
      }
    }
    return undefined;
  }

  /** `size [;ext[=value]] CRLF`. False while the line is not complete. */
  #readSize(bytes: Buffer, end: number): boolean {
    let at = this.at;
    let size = 0;
    for (; at < end; at++) {
      const digit = hexValue[bytes[at] ?? 0] ?? 255;
      if (digit === 255) break;
      if (at - this.at >= maxSizeDigits) return this.#fail("a chunk size has too many digits");
      size = size * 16 + digit;
    }
    if (at === end) return false;
    if (at === this.at) return this.#fail("a chunk size is not a hexadecimal number");
    const lineEnd = bytes.indexOf(LF, at);
    const length = (lineEnd < 0 || lineEnd >= end ? end : lineEnd) - this.at;
    if (length > maxSizeLine) return this.#fail("a chunk extension is too long");
    if (lineEnd < 0 || lineEnd >= end) return false;
    if (bytes[lineEnd - 1] !== CR) return this.#fail("a chunk size line ends in a bare LF");
    if (this.#isResponse) at = skipSpace(bytes, at, lineEnd - 1);
    const allowed = this.#isResponse ? spacedExtensions : extensions;
    if (at < lineEnd - 1 && !allowed.test(bytes.toString("latin1", at, lineEnd - 1))) {
      return this.#fail("a chunk extension is malformed");
    }
    this.at = lineEnd + 1;
    this.#left = size;
    this.#expected = size === 0 ? "trailers" : "data";
    return true;
  }

  /** Field lines up to an empty one. False while they are not complete. */
  #readTrailers(bytes: Buffer, end: number): boolean {
    const list: string[] = [];
    let at = this.at;
    while (at < end) {
      if (bytes[at] === CR) {
        if (at + 1 === end) break;
        if (bytes[at + 1] !== LF) return this.#fail("the trailers hold a bare CR");
        if (at - this.at > this.#limits.maxHeadSize) return this.#fail("the trailers are too large");
        this.at = at + 2;
        this.done = true;
        this.#expected = "nothing";
        if (list.length > 0) this.trailers = new ListedFields(list);
        return true;
      }
      const nameStart = at;
      while (at < end && isTokenByte[bytes[at] ?? 0] === 1) at++;
      const nameEnd = at;
      if (this.#isResponse) at = skipSpace(bytes, at, end);
      if (at === end) break;
      if (bytes[at] !== COLON || nameEnd === nameStart) return this.#fail("a trailer field line is malformed");
      at = skipSpace(bytes, at + 1, end);
      const valueStart = at;
      while (at < end && isValueByte[bytes[at] ?? 0] === 1) at++;
      if (at + 1 >= end) break;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) return this.#fail("a trailer field value is malformed");
      let valueEnd = at;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
      const name = bytes.toString("latin1", nameStart, nameEnd).toLowerCase();
      list.push(name, bytes.toString("latin1", valueStart, valueEnd));
      if (list.length > this.#limits.maxFields * 2) return this.#fail("there are too many trailer fields");
      at += 2;
    }
    if (end - this.at > this.#limits.maxHeadSize) this.#fail("the trailers are too large");
    return false;
  }

  #fail(reason: string): false {
    this.failure = reason;
    return false;
  }
}

/** Where the first byte stands that is neither a space nor a tab. */
function skipSpace(bytes: Buffer, at: number, end: number): number {
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  return at;
}

/** 13 hexadecimal digits stay below 2^53. */
const maxSizeDigits = 13;
/** A size line is read whole. No prop: no known sender uses long extensions. */
const maxSizeLine = 256;
const token = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`;
const quoted = String.raw`"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e\x80-\xff])*"`;
/** RFC 9112 7.1.1, with the white space that it forbids to senders left out. */
const extensions = new RegExp(`^(?:;${token}(?:=(?:${token}|${quoted}))?)*$`);
/** The same with that white space: recipients have to read it. */
const spacedExtensions = new RegExp(
  String.raw`^(?:[ \t]*;[ \t]*${token}(?:[ \t]*=[ \t]*(?:${token}|${quoted}))?)*[ \t]*$`,
);
