// Writes protobuf messages into one buffer that grows. A batch has thousands of small messages: no object is made for
// any of them.

/** See "Message Structure" in protobuf's specification of the encoding. */
const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;

export class ProtoWriter {
  #bytes: Buffer;
  #at = 0;

  /** `initialSize`: in bytes. Default: of some hundred spans. */
  constructor(initialSize = 65_536) {
    this.#bytes = Buffer.allocUnsafe(initialSize);
  }

  /** What was written. The writer must not be used any more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** A string field; left out if it is "". */
  text(field: number, text: string): void {
    if (text !== "") this.string(field, text);
  }

  /** A string field, in any case. */
  string(field: number, text: string): void {
    const size = Buffer.byteLength(text);
    this.#lengthOf(field, size);
    if (size !== text.length || size > maxLooped) this.#bytes.write(text, this.#at);
    else for (let i = 0; i < size; i++) this.#bytes[this.#at + i] = text.charCodeAt(i);
    this.#at += size;
  }

  /** A bytes field, of hexadecimal digits; left out if there are none. */
  hex(field: number, digits: string): void {
    if (digits === "") return;
    const size = digits.length / 2;
    this.#lengthOf(field, size);
    this.#bytes.write(digits, this.#at, "hex");
    this.#at += size;
  }

  /** A field whose bytes are encoded already. */
  bytes(field: number, bytes: Uint8Array): void {
    this.#lengthOf(field, bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#at + i] = bytes[i] ?? 0;
    this.#at += bytes.length;
  }

  /** A field of a whole number that is not negative and below 2^53, or of a boolean. */
  whole(field: number, value: number): void {
    this.#need(maxVarint);
    this.#tag(field, varint);
    this.#varint(value);
  }

  /** An `int64` field. A negative number has ten bytes. */
  integer(field: number, value: number): void {
    if (value >= 0) return this.whole(field, value);
    this.#need(maxVarint);
    this.#tag(field, varint);
    let left = BigInt.asUintN(64, BigInt(value));
    for (; left > 0x7fn; left >>= 7n) this.#byte(Number(left & 0x7fn) | 0x80);
    this.#byte(Number(left));
  }

  /** A `double` field. */
  double(field: number, value: number): void {
    this.#need(maxVarint);
    this.#tag(field, fixed64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A `fixed64` field: nanoseconds since the epoch, of milliseconds with fractions. */
  nanoseconds(field: number, time: number): void {
    this.#need(maxVarint);
    this.#tag(field, fixed64);
    // The product has more bits than a number: each half is multiplied on its own.
    const microseconds = Math.round(time * 1000);
    const low = (microseconds % twoTo32) * 1000;
    const high = Math.floor(microseconds / twoTo32) * 1000 + Math.floor(low / twoTo32);
    this.#at = this.#bytes.writeUInt32LE(low % twoTo32, this.#at);
    this.#at = this.#bytes.writeUInt32LE(high, this.#at);
  }

  /** Begins a message. Returns where, for `end`. */
  begin(field: number): number {
    this.#need(maxVarint);
    this.#tag(field, lengthDelimited);
    // Of one byte: most messages are shorter than 128 bytes.
    return ++this.#at;
  }

  /** Ends the message that began there. */
  end(start: number): void {
    const size = this.#at - start;
    const shift = sizeOfVarint(size) - 1;
    if (shift > 0) {
      this.#need(shift);
      this.#bytes.copyWithin(start + shift, start, this.#at);
    }
    this.#at = start - 1;
    this.#varint(size);
    this.#at += size;
  }

  #lengthOf(field: number, size: number): void {
    this.#need(size + maxVarint);
    this.#tag(field, lengthDelimited);
    this.#varint(size);
  }

  /** Fields have numbers below 16. */
  #tag(field: number, type: number): void {
    this.#byte((field << 3) | type);
  }

  #varint(value: number): void {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 0x80)) this.#byte((left % 0x80) | 0x80);
    this.#byte(left);
  }

  #byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** Makes room for so many bytes. */
  #need(size: number): void {
    const { length } = this.#bytes;
    if (this.#at + size <= length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * length, this.#at + size));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 0x80)) size++;
  return size;
}

const twoTo32 = 2 ** 32;
/** In bytes, with the tag before it; also of a fixed number. */
const maxVarint = 11;
/** In characters. For longer texts, a call of the system's encoder is cheaper. */
const maxLooped = 48;
