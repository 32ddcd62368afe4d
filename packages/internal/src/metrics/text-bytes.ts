// Gathers a long text as bytes. Its pieces are many and short: they are joined some thousands at a time, and leave
// little garbage behind.

export class TextBytes {
  readonly #pieces: string[] = Array<string>(maxPieces).fill("");
  #count = 0;
  #bytes: Buffer;
  #size = 0;

  /** `expectedSize`: in bytes; more makes it grow. */
  constructor(expectedSize: number) {
    // Not of the pool of small buffers, which would live as long as this one.
    this.#bytes = Buffer.allocUnsafeSlow(expectedSize);
  }

  /** Adds a piece, which stands behind the one before. */
  add(piece: string): void {
    this.#pieces[this.#count++] = piece;
    if (this.#count === maxPieces) this.#write(this.#pieces);
  }

  /** The whole text in UTF-8. Nothing can be added any more. */
  finish(): Buffer {
    this.#write(this.#pieces.slice(0, this.#count));
    return this.#bytes.subarray(0, this.#size);
  }

  #write(pieces: readonly string[]): void {
    const text = pieces.join("");
    const size = Buffer.byteLength(text);
    const needed = this.#size + size;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    // A text of ASCII characters, which most are, is only copied.
    this.#bytes.write(text, this.#size, size === text.length ? "latin1" : "utf8");
    this.#size = needed;
    this.#count = 0;
  }
}

/** Joining them takes less than a millisecond. */
const maxPieces = 2000;
