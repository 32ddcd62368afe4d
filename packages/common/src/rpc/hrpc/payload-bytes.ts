// The pieces that payloads are made of: numbers of variable length (LEB128, as in protobuf), and texts and bytes with
// their length before them.

import { goAwayCodes, ProtocolFault } from "./frames.ts";

/** Writes one payload after the other, each into memory of its own. */
export class PayloadWriter {
  #bytes = new Uint8Array(256);
  #size = 0;

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
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  /** UTF-8, with its length in bytes before it. */
  text(value: string): void {
    // Most are short ASCII, which is faster without the encoder.
    if (value.length > 64 || !isAscii(value)) return this.bytes(encoder.encode(value));
    this.#reserve(value.length + 1);
    this.#bytes[this.#size++] = value.length;
    for (let i = 0; i < value.length; i++) this.#bytes[this.#size++] = value.charCodeAt(i);
  }

  /** Drops what a writer that has thrown left here: it would stand before the next payload. */
  begin(): void {
    this.#size = 0;
  }

  /** What was written, behind room for the head of a frame. The writer is empty afterwards. */
  take(before: number): Uint8Array {
    const taken = new Uint8Array(before + this.#size);
    taken.set(this.#bytes.subarray(0, this.#size), before);
    this.#size = 0;
    return taken;
  }

  #reserve(size: number): void {
    if (this.#bytes.length - this.#size >= size) return;
    const larger = new Uint8Array(2 * this.#bytes.length + size);
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
    try {
      return decoder.decode(bytes);
    } catch {
      throw malformed("a text of it is not UTF-8");
    }
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at < this.#bytes.length) throw malformed("it is too long");
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function malformed(reason: string): ProtocolFault {
  return new ProtocolFault(goAwayCodes.protocol, `a payload is malformed: ${reason}`);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
