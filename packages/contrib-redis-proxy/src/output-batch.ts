// Joins what is written within one turn of the event loop: all requests that have come meanwhile cost one system call
// for each node, and all replies one for each client.

import { flushAtEndOfTurn, type Due } from "@hemi/internal";

/** Short pieces are joined; long ones are written by themselves. */
export class OutputBatch implements Due {
  isDue = false;
  readonly #write: (bytes: Buffer) => void;
  /** A latin1 text: appending to it is cheaper than joining buffers. */
  #text = "";

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** The number of bytes that are not written yet. */
  get size(): number {
    return this.#text.length;
  }

  /** The bytes are copied. */
  add(bytes: Buffer): void {
    if (bytes.length > maxJoined) {
      this.flush();
      this.#write(Buffer.from(bytes));
      return;
    }
    this.#text += bytes.toString("latin1");
    if (this.#text.length > maxBatch) return this.flush();
    flushAtEndOfTurn(this);
  }

  flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(Buffer.from(text, "latin1"));
  }
}

const maxJoined = 1024;
const maxBatch = 64 * 1024;
