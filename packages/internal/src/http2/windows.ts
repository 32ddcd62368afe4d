// Flow control of what comes in (RFC 9113 5.2): how much the client may still send, on a stream or on the whole
// connection.

export class ReceiveWindow {
  #size: number;
  /** What the client may send just now. */
  #left: number;
  /** What was used up, and has not been given back. */
  #used = 0;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  get size(): number {
    return this.#size;
  }

  /** So much has come. False: it is more than was allowed. */
  take(amount: number): boolean {
    this.#left -= amount;
    return this.#left >= 0;
  }

  /**
   * So much of it is no longer kept here. Returns what the client is to be told that it may send more; 0 while that is
   * not worth a frame.
   */
  giveBack(amount: number): number {
    this.#used += amount;
    if (this.#used * 2 < this.#size) return 0;
    const increment = this.#used;
    this.#used = 0;
    this.#left += increment;
    return increment;
  }

  /** The client may have more under way from now on. Returns what it is to be told that it may send more. */
  grow(size: number): number {
    const increment = Math.max(0, size - this.#size);
    this.#size += increment;
    this.#left += increment;
    return increment;
  }
}
