// Bytes that come in pieces, such as those of an incomplete message, in one buffer that grows with them. A list of
// pieces would take some hundred bytes of memory for each, and a peer may send single bytes.

export class GatheredBytes {
  #buffer = nothing;
  #size = 0;

  /** The number of bytes. */
  get size(): number {
    return this.#size;
  }

  /** Adds a copy of the bytes. The buffer has at most twice the size of what it holds, or 64 bytes. */
  add(bytes: Uint8Array): void {
    const size = this.#size + bytes.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(leastSize, this.#size === 0 ? size : size * 2));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#size);
    this.#size = size;
  }

  /** Returns all bytes, which are the caller's from now on, and begins anew. */
  take(): Buffer {
    const all = this.#buffer.subarray(0, this.#size);
    this.#buffer = nothing;
    this.#size = 0;
    return all;
  }
}

const nothing = Buffer.alloc(0);
/** In bytes. */
const leastSize = 64;
