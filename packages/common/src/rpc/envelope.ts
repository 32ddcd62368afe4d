// Messages in a stream of bytes, as gRPC, gRPC-Web and Connect have them: flags (1 byte), size (4 bytes), message.

import { RpcError } from "./rpc-error.ts";

/** The message is compressed. */
export const compressedFlag = 0x01;

/** One message of a stream. */
export interface Envelope {
  readonly flags: number;
  /** The message, as it was sent. */
  readonly bytes: Uint8Array;
}

/** Cuts a stream into envelopes. Memory is taken for bytes that have come, never for a size that was announced. */
export class EnvelopeReader {
  readonly #maxSize: number;
  /** Bytes that have come and are not cut yet: from `#start` to `#end`. */
  #buffer: Uint8Array = noBytes;
  #start = 0;
  #end = 0;
  /** Whether the buffer is ours to write to. */
  #isOwn = false;

  /** `maxSize`: of a message, in bytes. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Whether the stream may end here: no envelope has begun. */
  get isBetween(): boolean {
    return this.#start === this.#end;
  }

  /** Bytes have come. They must not be changed afterwards. */
  push(piece: Uint8Array): void {
    if (this.isBetween) {
      this.#buffer = piece;
      this.#start = 0;
      this.#end = piece.length;
      this.#isOwn = false;
      return;
    }
    const kept = this.#end - this.#start;
    if (!this.#isOwn || this.#buffer.length - this.#end < piece.length) {
      // Twice as much as there is: an envelope that comes byte by byte is copied few times.
      const grown = new Uint8Array(Math.max(64, 2 * kept + piece.length));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
      this.#isOwn = true;
      this.#start = 0;
      this.#end = kept;
    }
    this.#buffer.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** The next whole envelope, `undefined` if more bytes are needed. Throws RpcError `resource_exhausted`. */
  take(): Envelope | undefined {
    const at = this.#start;
    if (this.#end - at < headSize) return undefined;
    const buffer = this.#buffer;
    const [flags = 0, a = 0, b = 0, c = 0, d = 0] = [
      buffer[at],
      buffer[at + 1],
      buffer[at + 2],
      buffer[at + 3],
      buffer[at + 4],
    ];
    const size = a * 0x1000000 + ((b << 16) | (c << 8) | d);
    if (size > this.#maxSize) throw tooLarge(size, this.#maxSize);
    const end = at + headSize + size;
    if (this.#end < end) return undefined;
    this.#start = end;
    const bytes = buffer.subarray(at + headSize, end);
    // What follows would be written behind it, into the same buffer: that is fine, as nothing is written over it.
    return { flags, bytes };
  }
}

/** A message in its envelope. */
export function envelope(flags: number, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headSize + message.length);
  bytes[0] = flags;
  bytes[1] = message.length >>> 24;
  bytes[2] = message.length >>> 16;
  bytes[3] = message.length >>> 8;
  bytes[4] = message.length;
  bytes.set(message, headSize);
  return bytes;
}

/** For a message that exceeds a limit, both in bytes. */
export function tooLarge(size: number | undefined, maxSize: number): RpcError {
  const what = size === undefined ? "a message is" : `a message of ${size} bytes is`;
  return new RpcError("resource_exhausted", `${what} larger than the limit of ${maxSize} bytes`);
}

/** In bytes. */
const headSize = 5;
const noBytes = new Uint8Array();
