// Reads what QPACK is made of: integers behind the bits of a prefix (RFC 7541 5.1), and strings (RFC 9204 4.1.2).

import { decodeHuffman, maxDecodedSize } from "@hemi/internal";

/** Why a text may not stand where it does; `undefined`: it may. */
export type FaultOf = (bytes: Uint8Array, start: number, end: number) => string | undefined;

export class PrefixReader {
  readonly bytes: Buffer;
  at: number;
  /** Set when something could not be read: it is cut off, or no number or text at all. */
  failure: "cutOff" | "broken" | undefined;
  /** What was wrong with the text that was read last. */
  fault: string | undefined;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Whether something could not be read: see `failure`. */
  hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** A copy of what stands from `at` on, which keeps nothing else in memory; `undefined`: nothing does. */
  restFrom(at: number): Buffer | undefined {
    return at < this.bytes.length ? Buffer.from(this.bytes.subarray(at)) : undefined;
  }

  /** The byte that comes next, which is still to be read. */
  get next(): number {
    return this.bytes[this.at] ?? 0;
  }

  /** An integer; `mask` has the bits of its first byte that count. 0, with `failure`, if there is none. */
  integer(mask: number): number {
    if (this.isAtEnd) return this.#fail("cutOff");
    let value = this.next & mask;
    this.at++;
    if (value < mask) return value;
    // Up to 2^53: stream ids are as large as that (RFC 9204 4.1.1 asks for 62 bits; no peer of ours gets there).
    for (let factor = 1; factor <= 2 ** 42; factor *= 128) {
      if (this.at >= this.bytes.length) return this.#fail("cutOff");
      const byte = this.next;
      this.at++;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return this.#fail("broken");
  }

  /**
   * A text; `mask` has the bits of its first byte that belong to the length, and the bit above them says whether it is
   * in the Huffman code. "", with `failure`, if there is none. `most`: it is broken if it is longer, in bytes as sent.
   */
  text(mask: number, most: number, faultOf: FaultOf): string {
    const isHuffman = (this.next & (mask + 1)) !== 0;
    const size = this.integer(mask);
    if (this.hasFailed()) return "";
    if (size > most) return this.#noText("broken");
    const start = this.at;
    if (start + size > this.bytes.length) return this.#noText("cutOff");
    this.at += size;
    if (!isHuffman) {
      this.fault = faultOf(this.bytes, start, this.at);
      return this.bytes.toString("latin1", start, this.at);
    }
    const room = maxDecodedSize(size);
    const into = room <= scratch.length ? scratch : Buffer.allocUnsafe(room);
    const decoded = decodeHuffman(this.bytes, start, this.at, into);
    if (decoded < 0) return this.#noText("broken");
    this.fault = faultOf(into, 0, decoded);
    return into.toString("latin1", 0, decoded);
  }

  #noText(failure: "cutOff" | "broken"): string {
    this.#fail(failure);
    return "";
  }

  #fail(failure: "cutOff" | "broken"): number {
    this.failure ??= failure;
    return 0;
  }
}

/** Where strings are decoded, unless they are longer. */
const scratch = Buffer.allocUnsafeSlow(8192);
