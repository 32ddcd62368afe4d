// The pieces that payloads are made of: numbers of variable length (LEB128, as in protobuf), and texts and bytes with
// their length before them.

import { encoder, noBytes } from "../bytes.ts";
import { frameHeadSize, ProtocolFault, writeFrameHead } from "./frames.ts";

/** Writes payloads one behind the other, into memory that grows with them. */
export class PayloadWriter {
  #bytes = noBytes;
  #size = 0;
  /** Memory that was lent and is free again. */
  #spare: Uint8Array<ArrayBuffer> | undefined;

  /** What is in it, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** A number of 0 to 2^53 - 1. */
  number(value: number): void {
    this.#reserve(8);
    while (value >= 0x80) {
      this.#bytes[this.#size++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#size++] = value;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  uint32(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte((value >>> shift) & 0xff);
  }

  /** Bytes with their length before them. */
  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  /** UTF-8, with its length in bytes before it. */
  text(value: string): void {
    const start = this.#size;
    this.byte(0);
    this.utf8(value);
    const size = this.#size - start - 1;
    if (size < 0x80) this.#bytes[start] = size;
    else {
      // Its length takes more than one byte.
      this.cut(start);
      this.bytes(encoder.encode(value));
    }
  }

  /** UTF-8, without a length. */
  utf8(value: string): void {
    const { length } = value;
    this.#reserve(3 * length);
    // Most are short ASCII, which is faster without the encoder.
    let ascii = 0;
    for (; ascii < length && length <= maxByCharacter; ascii++) {
      const code = value.charCodeAt(ascii);
      if (code >= 0x80) break;
      this.#bytes[this.#size + ascii] = code;
    }
    this.#size += ascii === length ? length : encoder.encodeInto(value, this.#bytes.subarray(this.#size)).written;
  }

  /** Room for the head of a frame, to be filled by `headAt`. */
  head(): void {
    this.#reserve(frameHeadSize);
    this.#size += frameHeadSize;
  }

  /** Fills the head of the frame that begins at `start` and ends here. */
  headAt(start: number, type: number, flags: number, streamId: number): void {
    writeFrameHead(this.#bytes, this.#size - start - frameHeadSize, type, flags, streamId, start);
  }

  /** Drops what stands behind this size: what was begun, or what a writer that has thrown left here. */
  cut(size: number): void {
    this.#size = size;
  }

  /** What was written, in memory of its own. The writer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#size);
    this.#size = 0;
    return taken;
  }

  /** What was written. The writer is empty afterwards, and does not use this memory until it gets it back. */
  lend(): Uint8Array<ArrayBuffer> {
    const lent = this.#bytes.subarray(0, this.#size);
    this.#bytes = this.#spare ?? noBytes;
    this.#spare = undefined;
    this.#size = 0;
    return lent;
  }

  /** Takes back what was lent. */
  giveBack(lent: Uint8Array<ArrayBuffer>): void {
    if (lent.buffer.byteLength <= maxSpare) this.#spare = new Uint8Array(lent.buffer);
  }

  #reserve(size: number): void {
    if (this.#bytes.length - this.#size >= size) return;
    const larger = new Uint8Array(Math.max(firstSize, 2 * this.#bytes.length + size));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}

/** Reads a payload from its beginning to its end. Each method throws ProtocolFault if it is too short or malformed. */
export class PayloadReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw malformed("a number of it is too large");
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("it is too short");
    return byte;
  }

  /** Big-endian. */
  uint32(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + this.byte();
    return value;
  }

  /** They are valid as long as the payload is. */
  bytes(): Uint8Array {
    const size = this.number();
    const end = this.#at + size;
    if (end > this.#bytes.length) throw malformed("it is too short");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  text(): string {
    const bytes = this.bytes();
    return bytes.length === 0 ? "" : this.decoded(bytes);
  }

  /** All that follows. It is valid as long as the payload is. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at < this.#bytes.length) throw malformed("it is too long");
  }

  /** The text of bytes of the payload. */
  decoded(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw malformed("a text of it is not UTF-8");
    }
  }
}

/** In bytes: of the memory of a writer at first, and of memory that is kept for further use. */
const firstSize = 1024;
const maxSpare = 64 * 1024;
/** In characters. Not a prop: where the encoder begins to be faster. */
const maxByCharacter = 128;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function malformed(reason: string): ProtocolFault {
  return new ProtocolFault(`a payload is malformed: ${reason}`);
}
