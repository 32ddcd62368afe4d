// Cuts what a socket reads into frames. A frame that lies whole in what was read is handed out where it lies; one that
// goes on in the next reading is put together in memory of its own.

import { Buffer } from "node:buffer";
import { BlockPool } from "../net/block-pool.ts";
import { defaultMaxFrameSize, frameHeaderSize, frameType, readUint31 } from "./frames.ts";

/** Takes a frame: its payload lies in `bytes` from `start` to `end`. */
export type FrameHandler = (
  bytes: Buffer,
  start: number,
  end: number,
  type: number,
  flags: number,
  streamId: number,
) => void;

export class FrameCutter {
  readonly #maxFrameSize: number;
  readonly #take: FrameHandler;
  readonly #tooLarge: () => void;
  readonly #isBorrowed: boolean;
  /** A frame of which a part has come; as long as its header is not whole, there is room for that alone. */
  #partial: Buffer = noBytes;
  #partialSize = 0;
  #isStopped = false;

  /**
   * `tooLarge` is told of a frame whose payload is larger than `maxFrameSize`: no other frame follows it. `isBorrowed`:
   * `take` keeps nothing of what it is given, so that other frames are put together in the same memory.
   */
  constructor(maxFrameSize: number, take: FrameHandler, tooLarge: () => void, isBorrowed = false) {
    this.#maxFrameSize = maxFrameSize;
    this.#take = take;
    this.#tooLarge = tooLarge;
    this.#isBorrowed = isBorrowed;
  }

  /** A frame has begun, and is not complete. */
  get isWithinFrame(): boolean {
    return this.#partialSize > 0;
  }

  /** The stream of the DATA frame that is coming in, with what has come of it; 0 if there is none. */
  get partialDataStream(): number {
    return this.#partialSize > frameHeaderSize && this.#partial[3] === frameType.data
      ? readUint31(this.#partial, 5)
      : 0;
  }

  get partialSize(): number {
    return this.#partialSize;
  }

  /** No other frame is handed out. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = noBytes;
    this.#partialSize = 0;
  }

  /** Hands out the frames that are complete with these bytes. */
  push(bytes: Buffer): void {
    let at = this.#partialSize === 0 ? 0 : this.#complete(bytes);
    while (bytes.length - at >= frameHeaderSize && !this.#isStopped) {
      const size = payloadSizeAt(bytes, at);
      if (size > this.#maxFrameSize) return this.#refuse();
      const start = at + frameHeaderSize;
      const end = start + size;
      if (end > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      const streamId = readUint31(bytes, at + 5);
      at = end;
      this.#take(bytes, start, end, type, flags, streamId);
    }
    if (at < bytes.length && !this.#isStopped) this.#keep(bytes, at);
  }

  /** Goes on with the frame that has begun. Returns where the next one begins. */
  #complete(bytes: Buffer): number {
    let at = this.#fill(bytes, 0, frameHeaderSize);
    if (this.#partialSize < frameHeaderSize) return at;
    const size = payloadSizeAt(this.#partial, 0);
    if (size > this.#maxFrameSize) {
      this.#refuse();
      return at;
    }
    const end = frameHeaderSize + size;
    at = this.#fill(bytes, at, end);
    if (this.#partialSize < end) return at;
    const frame = this.#partial;
    this.#partial = noBytes;
    this.#partialSize = 0;
    this.#take(frame, frameHeaderSize, end, frame[3] ?? 0, frame[4] ?? 0, readUint31(frame, 5));
    if (this.#isBorrowed && frame.length === lentSize) pool.giveBack(frame);
    return at;
  }

  /** Takes bytes from `at` on until the frame that has begun has this size. Returns where the rest begins. */
  #fill(bytes: Buffer, at: number, size: number): number {
    if (this.#partialSize >= size) return at;
    if (this.#partial.length < size) {
      const isLent = this.#isBorrowed && size > minLent && size <= lentSize;
      const larger = isLent ? pool.lend() : Buffer.allocUnsafeSlow(size);
      this.#partial.copy(larger, 0, 0, this.#partialSize);
      this.#partial = larger;
    }
    const end = Math.min(bytes.length, at + size - this.#partialSize);
    bytes.copy(this.#partial, this.#partialSize, at, end);
    this.#partialSize += end - at;
    return end;
  }

  #keep(bytes: Buffer, at: number): void {
    at = this.#fill(bytes, at, frameHeaderSize);
    if (this.#partialSize === frameHeaderSize) this.#fill(bytes, at, frameHeaderSize + payloadSizeAt(this.#partial, 0));
  }

  #refuse(): void {
    this.stop();
    this.#tooLarge();
  }
}

const noBytes = Buffer.alloc(0);

/** In bytes: frames that are worth a block. */
const minLent = 1024;
/** In bytes: it takes any frame of the default size. */
const lentSize = frameHeaderSize + defaultMaxFrameSize;
/** No prop: 1 MiB in all. */
const maxSpare = 64;
const pool = new BlockPool<Buffer>({ make: () => Buffer.allocUnsafeSlow(lentSize), maxSpare });

function payloadSizeAt(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}
