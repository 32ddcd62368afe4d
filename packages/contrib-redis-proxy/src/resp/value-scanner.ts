// Finds where values of RESP end (RESP2, RESP3), in bytes that come in pieces of any size.
//
// A value is a line, or a line that announces bytes, or a line that announces other values. No stack is needed: what is
// left to read is a number of values, to which an aggregate adds its own.
//
//   *2 CRLF  $3 CRLF foo CRLF  :1 CRLF
//   1 ─> 2 ────────────────> 1 ──────> 0: complete

/** The peer speaks something else, or more than it may. */
export class RespError extends Error {}

/** Where one complete value is. The bytes are valid until the callback returns. */
export type ValueTaker = (bytes: Buffer, start: number, end: number) => void;

export class ValueScanner {
  readonly #maxSize: () => number;
  readonly #took: ValueTaker;
  readonly #takesLines: boolean;
  /** What was received and is no complete value yet: the first `#size` bytes. It grows by doubling. */
  #kept: Buffer = Buffer.alloc(0);
  #size = 0;
  /** As long as fewer bytes are there, looking again is of no use. */
  #needed = 0;
  /** Where scanning goes on, and how many values are left until the outermost one is complete. */
  #at = 0;
  #left = 1;

  /** `maxSize`: in bytes, of one value. `takesLines`: requests, which may be plain lines instead of arrays. */
  constructor(maxSize: () => number, took: ValueTaker, takesLines = false) {
    this.#maxSize = maxSize;
    this.#took = took;
    this.#takesLines = takesLines;
  }

  /** The number of bytes that are kept. */
  get size(): number {
    return this.#size;
  }

  /** The first byte of a value that is not complete; `undefined`: there is none. */
  get begunWith(): number | undefined {
    return this.#size === 0 ? undefined : this.#kept[0];
  }

  /** Throws a RespError; nothing may be added after that. `isShared`: the bytes will change. */
  add(bytes: Buffer, isShared: boolean): void {
    if (this.#size === 0) {
      const rest = this.#scan(bytes);
      if (rest < bytes.length) this.#keep(rest === 0 && !isShared ? bytes : Buffer.from(bytes.subarray(rest)));
      return;
    }
    this.#append(bytes);
    if (this.#size < this.#needed) return;
    const all = this.#kept.subarray(0, this.#size);
    const rest = this.#scan(all);
    if (rest === 0) return;
    this.#size = 0;
    this.#keep(Buffer.from(all.subarray(rest)));
  }

  #keep(bytes: Buffer): void {
    this.#kept = bytes;
    this.#size = bytes.length;
    this.#checkSize();
  }

  #append(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#kept.length) {
      const larger = Buffer.allocUnsafe(size * 2);
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#size);
    this.#size = size;
    this.#checkSize();
  }

  #checkSize(): void {
    if (this.#size > this.#maxSize()) throw new RespError(`a value of more than ${this.#maxSize()} bytes`);
  }

  /** Returns where the first incomplete value begins. */
  #scan(bytes: Buffer): number {
    let start = 0;
    for (;;) {
      const isLine = this.#takesLines && this.#at === start && start < bytes.length && bytes[start] !== asterisk;
      const next = isLine ? this.#stepLine(bytes) : this.#step(bytes);
      if (next < 0) break;
      this.#at = next;
      if (this.#left > 0) continue;
      this.#took(bytes, start, next);
      start = next;
      this.#left = 1;
    }
    this.#at -= start;
    this.#needed = Math.max(0, this.#needed - start);
    return start;
  }

  /** Reads one line with the bytes that it announces. Returns the position behind it, or -1: more bytes are needed. */
  #step(bytes: Buffer): number {
    const at = this.#at;
    if (at >= bytes.length) return this.#need(at + 1);
    const type = bytes[at] ?? 0;
    const isBytes = type === dollar || type === equals || type === exclamation;
    const isValues = type === asterisk || type === tilde || type === greater || type === percent || type === bar;
    if (!isBytes && !isValues) {
      if (!lineTypes.includes(type)) throw new RespError(`a value that begins with the byte ${type}`);
      const end = bytes.indexOf(13, at);
      if (end < 0 || end + 1 >= bytes.length) {
        // It is looked through again with each piece.
        if (this.#takesLines && bytes.length - at > maxLine) throw new RespError("a line that does not end");
        return this.#need(bytes.length + 1);
      }
      if (bytes[end + 1] !== 10) throw new RespError("a line without a regular end");
      this.#left--;
      return end + 2;
    }
    const end = bytes.indexOf(13, at);
    if (end < 0 || end + 1 >= bytes.length) {
      if (bytes.length - at > maxLengthLine) throw new RespError("a length that does not end");
      return this.#need(bytes.length + 1);
    }
    if (bytes[end + 1] !== 10) throw new RespError("a line without a regular end");
    const length = readLength(bytes, at + 1, end);
    if (isValues) {
      this.#left += valuesOf(type, length);
      if (this.#left > maxValues) throw new RespError(`more than ${maxValues} values in one`);
      return end + 2;
    }
    if (length > this.#maxSize()) throw new RespError(`a value of more than ${this.#maxSize()} bytes`);
    const behind = length < 0 ? end + 2 : end + 2 + length + 2;
    if (behind > bytes.length) return this.#need(behind);
    if (length >= 0 && (bytes[behind - 2] !== 13 || bytes[behind - 1] !== 10))
      throw new RespError("a length that lies");
    this.#left--;
    return behind;
  }

  #stepLine(bytes: Buffer): number {
    const end = bytes.indexOf(10, this.#at);
    if ((end < 0 ? bytes.length : end) - this.#at > maxLine) throw new RespError("a line that does not end");
    if (end < 0) return this.#need(bytes.length + 1);
    this.#left = 0;
    return end + 1;
  }

  #need(size: number): -1 {
    this.#needed = size;
    return -1;
  }
}

/** Digits, or `-1` for null. */
export function readLength(bytes: Buffer, start: number, end: number): number {
  if (end - start === 2 && bytes[start] === 45 && bytes[start + 1] === 49) return -1;
  let length = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) throw new RespError("a length that is no number");
    length = length * 10 + digit;
  }
  if (start === end || length > 0xffffffff) throw new RespError("a length that is no number");
  return length;
}

/** How many more values are to be read behind an aggregate. Attributes stand before a value. */
function valuesOf(type: number, length: number): number {
  if (length < 0) return -1;
  if (type === percent) return 2 * length - 1;
  return type === bar ? 2 * length : length - 1;
}

const dollar = 36;
const equals = 61;
const exclamation = 33;
const asterisk = 42;
const tilde = 126;
const greater = 62;
const percent = 37;
const bar = 124;
/** `+` `-` `:` `_` `#` `,` `(` */
const lineTypes: readonly number[] = [43, 45, 58, 95, 35, 44, 40];
/** Not a prop: more than Redis takes. */
const maxValues = 4 * 1024 * 1024;
/** Not a prop: the digits of a length. */
const maxLengthLine = 32;
/** Not a prop: what Redis takes of a request that is a line. */
const maxLine = 64 * 1024;
