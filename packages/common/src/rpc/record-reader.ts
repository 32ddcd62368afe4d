// Cuts a stream of bytes into records: a head of fixed size, which tells how long the rest is. Envelopes are such
// records, and the frames of hrpc.

import { noBytes } from "./bytes.ts";

/** Cuts a stream into records. Memory is taken for bytes that have come, never for a size that was announced. */
export abstract class RecordReader {
  /** Where the record lies that was cut last: from `start` to `end`, head and all. */
  protected bytes: Uint8Array = noBytes;
  protected start = 0;
  protected end = 0;
  /** In bytes. */
  readonly #headSize: number;
  /** The last piece that was pushed: from `#at` on, it is not cut yet. */
  #piece: Uint8Array = noBytes;
  #at = 0;
  /** A record that began in earlier pieces, head and all, up to `#size`. */
  #begun: Uint8Array = noBytes;
  #size = 0;

  constructor(headSize: number) {
    this.#headSize = headSize;
  }

  /** In bytes, what follows the head that begins at `at`. May throw. */
  protected abstract sizeAt(bytes: Uint8Array, at: number): number;

  /** Whether the stream may end here: no record has begun. */
  get isBetween(): boolean {
    return this.#size === 0 && this.#at === this.#piece.length;
  }

  /**
   * Bytes have come. They must not be changed before `cut` has returned `false`, which must happen before the next
   * piece; records that lie whole in a piece share its memory.
   */
  push(piece: Uint8Array): void {
    this.#begin(piece);
  }

  /** Cuts the next whole record. `false`: more bytes are needed. Throws what `sizeAt` throws. */
  protected cut(): boolean {
    const headSize = this.#headSize;
    const piece = this.#piece;
    const at = this.#at;
    if (this.#size === 0 && piece.length - at >= headSize) {
      const end = at + headSize + this.sizeAt(piece, at);
      if (end <= piece.length) {
        this.#at = end;
        return this.#found(piece, at, end);
      }
    }
    if (this.#fill(headSize) && this.#fill(headSize + this.sizeAt(this.#begun, 0))) {
      const begun = this.#begun;
      const size = this.#size;
      this.#begun = noBytes;
      this.#size = 0;
      return this.#found(begun, 0, size);
    }
    // All of it is cut: a stream that idles need not keep it.
    this.#begin(noBytes);
    return false;
  }

  /** Forgets all that has come. */
  protected drop(): void {
    this.#begin(noBytes);
    this.#begun = noBytes;
    this.#size = 0;
  }

  #begin(piece: Uint8Array): void {
    this.#piece = this.bytes = piece;
    this.#at = 0;
  }

  #found(bytes: Uint8Array, start: number, end: number): true {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return true;
  }

  /** Takes bytes of the piece until `size` have begun. False: there are not enough. */
  #fill(size: number): boolean {
    const begun = this.#size;
    if (begun >= size) return true;
    const end = Math.min(size, begun + this.#piece.length - this.#at);
    if (this.#begun.length < end) {
      // A record that comes byte by byte is copied few times, and a small one has its memory at once.
      const larger = new Uint8Array(Math.min(size, Math.max(maxAnnounced, 4 * end)));
      larger.set(this.#begun.subarray(0, begun));
      this.#begun = larger;
    }
    this.#begun.set(this.#piece.subarray(this.#at, this.#at + end - begun), begun);
    this.#at += end - begun;
    this.#size = end;
    return end === size;
  }
}

/** In bytes: so much memory an announced size may take before its bytes have come. */
const maxAnnounced = 4096;
