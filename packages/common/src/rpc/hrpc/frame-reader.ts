// Cuts the bytes of a peer into its preface and frames. A frame that lies whole in one piece is handed out where it
// lies; one that goes on in the next piece is put together in memory of its own, at most one frame.

import { frameHeadSize, goAwayCodes, preface, ProtocolFault, readUint32, type FrameTaker } from "./frames.ts";

export class FrameReader {
  readonly #maxFrameSize: number;
  readonly #take: FrameTaker;
  /** How much of the preface has come. */
  #prefaceSize = 0;
  /** A frame of which a part has come. */
  #partial = noBytes;
  #partialSize = 0;
  #isStopped = false;

  /** `maxFrameSize`: of a payload, in bytes. */
  constructor(maxFrameSize: number, take: FrameTaker) {
    this.#maxFrameSize = maxFrameSize;
    this.#take = take;
  }

  /** The preface has come. */
  get hasBegun(): boolean {
    return this.#prefaceSize === preface.length;
  }

  /** The peer may end here: no frame is incomplete. */
  get isBetween(): boolean {
    return this.#partialSize === 0 && this.#prefaceSize % preface.length === 0;
  }

  /** No other frame is handed out. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = noBytes;
    this.#partialSize = 0;
  }

  /** Hands out the frames that are complete with these bytes. Throws ProtocolFault, and what the taker throws. */
  push(bytes: Uint8Array): void {
    let at = this.hasBegun ? 0 : this.#readPreface(bytes);
    if (this.#partialSize > 0) at = this.#complete(bytes, at);
    while (bytes.length - at >= frameHeadSize && !this.#isStopped) {
      const end = at + frameHeadSize + this.#payloadSizeAt(bytes, at);
      if (end > bytes.length) break;
      const start = at;
      at = end;
      this.#handOut(bytes, start, end);
    }
    if (at < bytes.length && !this.#isStopped) this.#keep(bytes, at);
  }

  #readPreface(bytes: Uint8Array): number {
    let at = 0;
    for (; at < bytes.length && !this.hasBegun; at++) {
      if (bytes[at] !== preface[this.#prefaceSize++]) {
        throw new ProtocolFault(
          goAwayCodes.protocol,
          "it does not begin with the preface HRPC/1: it speaks another protocol",
        );
      }
    }
    return at;
  }

  #handOut(bytes: Uint8Array, start: number, end: number): void {
    const payload = bytes.subarray(start + frameHeadSize, end);
    this.#take(bytes[start + 3] ?? 0, bytes[start + 4] ?? 0, readUint32(bytes, start + 5), payload);
  }

  /** Goes on with the frame that has begun. Returns where the next one begins. */
  #complete(bytes: Uint8Array, at: number): number {
    at = this.#fill(bytes, at, frameHeadSize);
    if (this.#partialSize < frameHeadSize) return at;
    const end = frameHeadSize + this.#payloadSizeAt(this.#partial, 0);
    at = this.#fill(bytes, at, end);
    if (this.#partialSize < end) return at;
    const whole = this.#partial;
    this.#partial = noBytes;
    this.#partialSize = 0;
    this.#handOut(whole, 0, end);
    return at;
  }

  #keep(bytes: Uint8Array, at: number): void {
    at = this.#fill(bytes, at, frameHeadSize);
    if (this.#partialSize < frameHeadSize) return;
    this.#fill(bytes, at, frameHeadSize + this.#payloadSizeAt(this.#partial, 0));
  }

  /** Takes bytes from `at` on until the frame that has begun has this size. Returns where the rest begins. */
  #fill(bytes: Uint8Array, at: number, size: number): number {
    if (this.#partialSize >= size) return at;
    if (this.#partial.length < size) {
      const larger = new Uint8Array(size);
      larger.set(this.#partial.subarray(0, this.#partialSize));
      this.#partial = larger;
    }
    const end = Math.min(bytes.length, at + size - this.#partialSize);
    this.#partial.set(bytes.subarray(at, end), this.#partialSize);
    this.#partialSize += end - at;
    return end;
  }

  #payloadSizeAt(bytes: Uint8Array, at: number): number {
    const size = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if (size <= this.#maxFrameSize) return size;
    throw new ProtocolFault(goAwayCodes.frameSize, `a frame of ${size} bytes is larger than ${this.#maxFrameSize}`);
  }
}

const noBytes = new Uint8Array();
