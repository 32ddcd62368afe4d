// Frames of msgx: a length of four bytes (big-endian), then as many bytes of JSON in UTF-8.
//
//   ┌────────┬───────────────────────────┐
//   │ length │ {"id":1,"call":"workers"} │
//   └────────┴───────────────────────────┘

import { Buffer } from "node:buffer";

/** One message as bytes. */
export function frameOf(message: unknown): Buffer {
  const text = JSON.stringify(message);
  const frame = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - 4);
  frame.write(text, 4);
  return frame;
}

/** Cuts a byte stream into messages. Holds at most one frame. */
export class FrameReader {
  readonly #max: number;
  #chunks: Buffer[] = [];
  #size = 0;

  /** `max`: the maximum length of a frame in bytes. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Returns the messages that are complete. Throws a RangeError for a frame that is too large, and a SyntaxError for
   * one that is not JSON.
   */
  push(chunk: Buffer): readonly unknown[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const messages: unknown[] = [];
    for (let length = this.#length(); length !== undefined && this.#size >= 4 + length; length = this.#length()) {
      const frame = this.#take(4 + length);
      messages.push(JSON.parse(frame.toString("utf8", 4)));
    }
    return messages;
  }

  #length(): number | undefined {
    if (this.#size < 4) return undefined;
    const length = this.#joined(4).readUInt32BE();
    if (length > this.#max) throw new RangeError(`a frame of ${length} bytes; the maximum is ${this.#max}`);
    return length;
  }

  #take(size: number): Buffer {
    const all = this.#joined(size);
    this.#chunks = all.length === size ? [] : [all.subarray(size)];
    this.#size -= size;
    return all.subarray(0, size);
  }

  /** The first chunk, with at least `size` bytes. */
  #joined(size: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= size) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
