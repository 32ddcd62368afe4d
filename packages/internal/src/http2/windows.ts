// Flow control of what comes in (RFC 9113 5.2): how much the client may still send, on a stream or on the whole
// connection.

export class ReceiveWindow {
  #size: number;
  /** What the client may send just now. */
  #left: number;
  /** What was used up, and has not been given back. */
  #used = 0;
  /** What it may send beyond its size, and what is not kept here. */
  #lent = 0;

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

  /** More has come of what is kept here than the size allows: the client has used what was lent for something else. */
  get isOverdrawn(): boolean {
    return this.#left < this.#lent;
  }

  /** The client may send so much more of what is not kept here. Returns what it is to be told, which may be less. */
  lend(amount: number): number {
    const increment = Math.max(0, Math.min(amount, maxLent - this.#lent));
    this.#lent += increment;
    this.#left += increment;
    return increment;
  }

  /** So much of what was lent is not needed any more. Returns how much of the amount was not lent. */
  repay(amount: number): number {
    const paid = Math.min(amount, this.#lent);
    this.#lent -= paid;
    return amount - paid;
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

/** In bytes: with the size, it stays below the largest window (RFC 9113 6.9.1). */
const maxLent = 2 ** 30;
