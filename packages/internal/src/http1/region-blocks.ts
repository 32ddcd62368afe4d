// Memory that stretches of files are read into on their way to a socket. It is lent by a pool of the process from when
// a read begins until its write has ended: fresh memory for each piece would cost more than reading it, by page faults
// and the collector.
//
//   small blocks   one for each download that waits for its client, however many those are
//   large blocks   for clients that take them at once: half the CPU, but few, since who stops taking keeps the last one

import { Buffer } from "node:buffer";
import { read } from "node:fs";
import { BlockPool } from "../net/block-pool.ts";

const smallSize = 64 * 1024;
const largeSize = 512 * 1024;
/** No prop: 4 MiB in all. Where they are used up there are small ones. */
const maxLarge = 8;
/** No prop: 2 MiB in all. */
const maxSpareSmall = 32;

export class RegionBlock {
  readonly bytes: Buffer;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** One that nobody uses, of 64 KiB or, if it may be and there is one, of 512 KiB. */
  static lend(mayBeLarge: boolean): RegionBlock {
    return mayBeLarge && !large.isUsedUp ? large.lend() : small.lend();
  }

  /** Nobody uses it any more. To be called once for each time that it was lent. */
  giveBack(): void {
    (this.bytes.length === largeSize ? large : small).giveBack(this);
  }

  /** Reads up to `size` bytes of a file, as far as there is room. Settles with how many there were: 0 at its end. */
  read(fd: number, offset: number, size: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(fd, this.bytes, 0, Math.min(size, this.bytes.length), offset, (error, bytesRead) => {
        if (error === null) resolve(bytesRead);
        else reject(error);
      });
    });
  }
}

const small = new BlockPool({ make: () => new RegionBlock(smallSize), maxSpare: maxSpareSmall });
const large = new BlockPool({ make: () => new RegionBlock(largeSize), maxSpare: maxLarge, maxLent: maxLarge });
