// What has come on a connection and is yet to be read.
//
// Most of it lies in the buffer that all sockets are read into, and holds for the current turn of the event loop only: what is to stay is
// copied.

export class Input {
  /** The unread bytes are those from `at` on. Readers move `at` forward. */
  bytes: Buffer = noBytes;
  at = 0;
  #isShared = false;

  /** Of what is unread, in bytes. */
  get size(): number {
    return this.bytes.length - this.at;
  }

  /** There is more. `isShared`: it lies in the shared buffer. */
  add(bytes: Buffer, isShared: boolean): void {
    const isBehind = this.at < this.bytes.length;
    this.bytes = isBehind ? Buffer.concat([this.bytes.subarray(this.at), bytes]) : bytes;
    this.#isShared = isShared && !isBehind;
    this.at = 0;
  }

  /** From here on, what is unread may be kept. What has been read is let go. */
  own(): void {
    if (this.at === this.bytes.length) this.clear();
    else if (this.#isShared) {
      this.bytes = ownCopy(this.bytes.subarray(this.at));
      this.at = 0;
      this.#isShared = false;
    }
  }

  /** A piece of these bytes that may be kept. */
  owned(piece: Buffer): Buffer {
    return this.#isShared ? ownCopy(piece) : piece;
  }

  /** Takes out what is unread, to be kept. */
  take(): Buffer {
    const rest = this.owned(this.bytes.subarray(this.at));
    this.clear();
    return rest;
  }

  clear(): void {
    this.bytes = noBytes;
    this.at = 0;
    this.#isShared = false;
  }
}

const noBytes = Buffer.alloc(0);

/** Not of the pool: a head that is remembered for long would keep all of that in memory. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
