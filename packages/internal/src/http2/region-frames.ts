// Memory that files are read into, laid out as the DATA frames that they become: the system puts the pieces of the file
// where they belong, and one write sends them all, without a copy.
//
//   | header | 16 KiB of the file | header | 16 KiB | header | 16 KiB | …

import { Buffer } from "node:buffer";
import { readv } from "node:fs";
import { BlockPool } from "../net/block-pool.ts";
import { defaultMaxFrameSize, frameHeaderSize, frameType, writeFrameHeader } from "./frames.ts";

/** Large enough that a system call for each costs little. A connection has one or two at once, see `Sender`. */
const framesOfBlock = 8;

/** How much of a file goes into a block. */
export const regionOfBlock = framesOfBlock * defaultMaxFrameSize;

export class RegionFrames {
  readonly bytes = Buffer.allocUnsafeSlow(framesOfBlock * (frameHeaderSize + defaultMaxFrameSize));
  /** Where the payloads lie. */
  readonly payloads: readonly Buffer[] = Array.from({ length: framesOfBlock }, (_, i) => {
    const start = i * (frameHeaderSize + defaultMaxFrameSize) + frameHeaderSize;
    return this.bytes.subarray(start, start + defaultMaxFrameSize);
  });

  /** One that nobody uses. */
  static lend(): RegionFrames {
    return pool.lend();
  }

  /** Nobody uses it any more. */
  giveBack(): void {
    pool.giveBack(this);
  }

  /** Reads up to `size` bytes of a file. Settles with how many there were: 0 at its end. */
  read(fd: number, offset: number, size: number): Promise<number> {
    const into = size >= regionOfBlock ? this.payloads : this.#pieces(size);
    return new Promise((resolve, reject) => {
      readv(fd, into, offset, (error, bytesRead) => {
        if (error === null) resolve(bytesRead);
        else reject(error);
      });
    });
  }

  /** The first `size` bytes of all payloads together. */
  #pieces(size: number): Buffer[] {
    const pieces: Buffer[] = [];
    for (const payload of this.payloads) {
      if (size <= 0) break;
      pieces.push(payload.subarray(0, size));
      size -= payload.length;
    }
    return pieces;
  }

  /** The first `size` bytes of all payloads as frames of a stream. */
  frames(size: number, streamId: number): Buffer {
    let at = 0;
    while (size > 0) {
      const payloadSize = Math.min(size, defaultMaxFrameSize);
      at = writeFrameHeader(this.bytes, at, payloadSize, frameType.data, 0, streamId) + payloadSize;
      size -= payloadSize;
    }
    return this.bytes.subarray(0, at);
  }
}

/** No prop: 4 MiB in all. */
const maxSpare = 32;
const pool = new BlockPool({ make: () => new RegionFrames(), maxSpare });
