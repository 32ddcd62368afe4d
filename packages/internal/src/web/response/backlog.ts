// Limits the data that a handlet echoes without awaiting previous pieces, so that it cannot fill the memory.

import { Buffer } from "node:buffer";

/** In bytes. Not a prop: a handlet that awaits never comes near it, and others should be fixed with `await`. */
export const maxBacklog = 16 * 1024 * 1024;

/** The overhead of a buffered piece besides its bytes: many small ones fill the memory, too. */
const pieceCost = 256;

export class Backlog {
  /** The number of returned promises that are pending. */
  #waits = 0;
  #latest: Promise<void> | undefined;
  /** The size of the pieces that arrived meanwhile. */
  #size = 0;

  /** Whether there is room for another piece. The first one may have any size: it is in the handlet's own memory. */
  takes(piece: string | Uint8Array): boolean {
    if (this.#waits === 0) return true;
    this.#size += pieceCost + (typeof piece === "string" ? Buffer.byteLength(piece) : piece.length);
    return this.#size <= maxBacklog;
  }

  /** A promise was returned to the handlet. */
  add(sent: Promise<void>): void {
    // A wire has one promise for all callers that wait for its client.
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
