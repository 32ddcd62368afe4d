// Cuts the bytes of a peer into its preface and frames. A frame that lies whole in one piece is handed out where it
// lies; one that goes on in the next piece is put together in memory of its own, at most one frame.

import { readUint32 } from "../bytes.ts";
import { RecordReader } from "../record-reader.ts";
import { frameHeadSize, goAwayCodes, preface, ProtocolFault, type FrameTaker } from "./frames.ts";

export class FrameReader extends RecordReader {
  readonly #maxFrameSize: number;
  readonly #take: FrameTaker;
  /** How much of the preface has come. */
  #prefaceSize = 0;
  #isStopped = false;

  /** `maxFrameSize`: of a payload, in bytes. */
  constructor(maxFrameSize: number, take: FrameTaker) {
    super(frameHeadSize);
    this.#maxFrameSize = maxFrameSize;
    this.#take = take;
  }

  /** No other frame is handed out. */
  stop(): void {
    this.#isStopped = true;
    this.drop();
  }

  /** Hands out the frames that are complete with these bytes. Throws ProtocolFault, and what the taker throws. */
  override push(bytes: Uint8Array): void {
    if (this.#isStopped) return;
    super.push(this.#prefaceSize === preface.length ? bytes : this.#behindPreface(bytes));
    // Whoever takes one may stop it: then there is nothing left to be cut.
    while (this.cut()) this.#handOut();
  }

  #behindPreface(bytes: Uint8Array): Uint8Array {
    let at = 0;
    for (; at < bytes.length && this.#prefaceSize < preface.length; at++) {
      if (bytes[at] === preface[this.#prefaceSize++]) continue;
      throw new ProtocolFault("it speaks another protocol than HRPC/1");
    }
    return bytes.subarray(at);
  }

  #handOut(): void {
    const { bytes, start, end } = this;
    const payload = bytes.subarray(start + frameHeadSize, end);
    this.#take(bytes[start + 3] ?? 0, bytes[start + 4] ?? 0, readUint32(bytes, start + 5), payload);
  }

  protected sizeAt(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at) >>> 8;
    if (size <= this.#maxFrameSize) return size;
    throw new ProtocolFault(`a frame of ${size} bytes is larger than ${this.#maxFrameSize}`, goAwayCodes.frameSize);
  }
}
