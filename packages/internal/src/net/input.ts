// The received, unread input of a connection.
//
// Most of it is in the buffer that all sockets read into, and is valid in the current turn of the event loop only. Data
// to keep is copied.

export class Input {
  /** The unread bytes start at `at`. Readers move `at` forward. */
  bytes: Buffer = noBytes;
  at = 0;
  #isShared = false;

  /** The number of unread bytes. */
  get size(): number {
    return this.bytes.length - this.at;
  }

  /** Adds input. `isShared`: it is in the shared buffer. */
  add(bytes: Buffer, isShared: boolean): void {
    const isBehind = this.at < this.bytes.length;
    this.bytes = isBehind ? Buffer.concat([this.bytes.subarray(this.at), bytes]) : bytes;
    this.#isShared = isShared && !isBehind;
    this.at = 0;
  }

  /** After this call, unread data may be kept. Read data is released. */
  own(): void {
    if (this.at === this.bytes.length) this.clear();
    else if (this.#isShared) {
      this.bytes = ownCopy(this.bytes.subarray(this.at));
      this.at = 0;
      this.#isShared = false;
    }
  }

  /** A copy of these bytes if they cannot be kept. */
  owned(piece: Buffer): Buffer {
    return this.#isShared ? ownCopy(piece) : piece;
  }

  /** Removes and returns the unread data, which may be kept. */
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

/** Not from the pool: a head that is kept for long would keep the whole pool slab in memory. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
