// Cuts a stream of bytes into the envelopes of its messages: see envelope.ts.

import { envelopeHeadSize, tooLarge, type Envelope } from "./envelope.ts";
import { readUint32 } from "./hrpc/frames.ts";

/** Cuts a stream into envelopes. Memory is taken for bytes that have come, never for a size that was announced. */
export class EnvelopeReader {
  readonly #maxSize: number;
  /** The last piece that was pushed: from `#start` on, it is not cut yet. */
  #piece: Uint8Array = noBytes;
  #start = 0;
  /** An envelope that began in earlier pieces, head and all, up to `#size`. */
  #begun: Uint8Array = noBytes;
  #size = 0;

  /** `maxSize`: of a message, in bytes. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Whether the stream may end here: no envelope has begun. */
  get isBetween(): boolean {
    return this.#size === 0 && this.#start === this.#piece.length;
  }

  /**
   * Bytes have come. They must not be changed before `take` has returned `undefined`, which must happen before the next
   * piece; messages that lie whole in a piece share its memory.
   */
  push(piece: Uint8Array): void {
    this.#piece = piece;
    this.#start = 0;
  }

  /** The next whole envelope, `undefined` if more bytes are needed. Throws RpcError `resource_exhausted`. */
  take(): Envelope | undefined {
    const piece = this.#piece;
    const at = this.#start;
    if (this.#size === 0 && piece.length - at >= envelopeHeadSize) {
      const end = at + this.#sizeAt(piece, at);
      if (end <= piece.length) {
        this.#start = end;
        return envelopeIn(piece, at, end);
      }
    }
    if (!this.#fill(envelopeHeadSize) || !this.#fill(this.#sizeAt(this.#begun, 0))) {
      // All of it is cut: a stream that idles need not keep it.
      this.#piece = noBytes;
      this.#start = 0;
      return undefined;
    }
    const next = envelopeIn(this.#begun, 0, this.#size);
    this.#begun = noBytes;
    this.#size = 0;
    return next;
  }

  /** In bytes, of the envelope whose head is here. */
  #sizeAt(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at + 1);
    if (size > this.#maxSize) throw tooLarge(size, this.#maxSize);
    return envelopeHeadSize + size;
  }

  /** Takes bytes of the piece until `size` have begun. False: there are not enough. */
  #fill(size: number): boolean {
    const begun = this.#size;
    if (begun >= size) return true;
    const end = Math.min(size, begun + this.#piece.length - this.#start);
    if (this.#begun.length < end) {
      // An envelope that comes byte by byte is copied few times, and a small one has its memory at once.
      const larger = new Uint8Array(Math.min(size, Math.max(maxAnnounced, 4 * end)));
      larger.set(this.#begun.subarray(0, begun));
      this.#begun = larger;
    }
    this.#begun.set(this.#piece.subarray(this.#start, this.#start + end - begun), begun);
    this.#start += end - begun;
    this.#size = end;
    return end === size;
  }
}

function envelopeIn(bytes: Uint8Array, at: number, end: number): Envelope {
  return { flags: bytes[at] ?? 0, bytes: bytes.subarray(at + envelopeHeadSize, end) };
}

/** In bytes: so much memory an announced size may take before its bytes have come. */
const maxAnnounced = 4096;
const noBytes = new Uint8Array();
