// Cuts a stream of bytes into the envelopes of its messages: see envelope.ts.

import { readUint32 } from "./bytes.ts";
import { envelopeHeadSize, tooLarge, type Envelope } from "./envelope.ts";
import { RecordReader } from "./record-reader.ts";

/** Cuts a stream into envelopes. */
export class EnvelopeReader extends RecordReader {
  readonly #maxSize: number;

  /** `maxSize`: of a message, in bytes. */
  constructor(maxSize: number) {
    super(envelopeHeadSize);
    this.#maxSize = maxSize;
  }

  /** The next whole envelope, `undefined` if more bytes are needed. Throws RpcError `resource_exhausted`. */
  take(): Envelope | undefined {
    if (!this.cut()) return undefined;
    const { bytes, start, end } = this;
    return { flags: bytes[start] ?? 0, bytes: bytes.subarray(start + envelopeHeadSize, end) };
  }

  protected sizeAt(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at + 1);
    if (size > this.#maxSize) throw tooLarge(size, this.#maxSize);
    return size;
  }
}
