// Joins pieces in memory that is proportional to their bytes, not their number: a client may send its content byte by
// byte.

export class GatheredBytes {
  /** Kept unchanged as long as it is the only piece. */
  #first: Uint8Array | undefined;
  readonly #whole: Uint8Array[] = [];
  #block: Buffer = noBytes;
  /** The fill level of the block. */
  #at = 0;
  #size = 0;

  /** In bytes, of all pieces. */
  get size(): number {
    return this.#size;
  }

  /** The piece must not be changed afterwards. */
  add(piece: Uint8Array): void {
    const isFirst = this.#size === 0;
    this.#size += piece.length;
    if (isFirst) {
      this.#first = piece;
      return;
    }
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) this.#put(first);
    this.#put(piece);
  }

  /** All pieces, joined. */
  bytes(): Uint8Array {
    if (this.#first !== undefined) return this.#first;
    this.#seal();
    const [only] = this.#whole;
    return this.#whole.length === 1 && only !== undefined ? only : Buffer.concat(this.#whole, this.#size);
  }

  #put(piece: Uint8Array): void {
    if (piece.length >= blockSize / 4) {
      this.#seal();
      this.#whole.push(piece);
      return;
    }
    let rest = piece;
    while (rest.length > 0) {
      if (this.#at === this.#block.length) {
        this.#seal();
        this.#block = Buffer.allocUnsafeSlow(Math.min(blockSize, Math.max(1024, this.#size)));
      }
      const part = rest.subarray(0, this.#block.length - this.#at);
      this.#block.set(part, this.#at);
      this.#at += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** Completes the block. */
  #seal(): void {
    if (this.#at > 0) {
      const filled = this.#block.subarray(0, this.#at);
      this.#whole.push(this.#at < this.#block.length / 2 ? Buffer.from(filled) : filled);
    }
    this.#block = noBytes;
    this.#at = 0;
  }
}

const noBytes = Buffer.alloc(0);

/** In bytes. Pieces of at least a quarter of this are kept without a copy. */
const blockSize = 64 * 1024;
