// What a handlet echoes without waiting for what it echoed before: bounded, so that one that never waits does not fill the memory.

/** In bytes. No prop: a handlet that waits never gets near it, and one that does not is mended by `await`. */
export const maxBacklog = 16 * 1024 * 1024;

/** What keeping a piece costs beside its bytes: many small ones fill the memory too. */
const pieceCost = 256;

export class Backlog {
  /** Promises given out and not settled. */
  #waits = 0;
  #latest: Promise<void> | undefined;
  /** What came while there were any. */
  #size = 0;

  /** Is there room for another piece? The first one has room at any size: it is the handlet's own memory. */
  takes(piece: string | Uint8Array): boolean {
    if (this.#waits === 0) return true;
    this.#size += pieceCost + (typeof piece === "string" ? Buffer.byteLength(piece) : piece.length);
    return this.#size <= maxBacklog;
  }

  /** A handlet was told to wait for this. */
  add(sent: Promise<void>): void {
    // A wire has one promise for all who wait until its client has read on.
    if (sent === this.#latest) return;
    this.#latest = sent;
    this.#waits++;
    sent.then(this.#settled, this.#settled);
  }

  readonly #settled = (): void => {
    if (--this.#waits > 0) return;
    this.#size = 0;
    this.#latest = undefined;
  };
}
