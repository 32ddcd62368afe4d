// The replies to one client, in the order of its requests, whichever connections they come from.

import { OutputBatch } from "../output-batch.ts";

/** The place of a reply among those of a client. */
export interface ReplySlot {
  /** What came before its turn. */
  reply: Buffer | undefined;
}

export class RepliesInOrder {
  readonly #output: OutputBatch;
  readonly #emptied: () => void;
  #slots: ReplySlot[] = [];
  /** The first one of `#slots` that is not filled and written. */
  #first = 0;
  /** The number of bytes that wait for their turn. */
  waitingSize = 0;

  /** `emptied`: every request has its reply. */
  constructor(write: (bytes: Buffer) => void, emptied: () => void) {
    this.#output = new OutputBatch(write);
    this.#emptied = emptied;
  }

  /** The number of requests without a reply. */
  get pending(): number {
    return this.#slots.length - this.#first;
  }

  /** Writes a reply that is there at once. The bytes are copied. */
  put(reply: Buffer): void {
    if (this.pending === 0) return this.#output.add(reply);
    const slot = { reply: undefined };
    this.reserve(slot);
    this.fill(slot, reply);
  }

  /** The next reply will be filled in here. */
  reserve(slot: ReplySlot): void {
    this.#slots.push(slot);
  }

  /** To be called once for each slot that was reserved. The bytes are copied. */
  fill(slot: ReplySlot, reply: Buffer): void {
    if (this.#slots[this.#first] !== slot) {
      slot.reply = Buffer.from(reply);
      this.waitingSize += reply.length;
      return;
    }
    this.#output.add(reply);
    this.#first++;
    for (;;) {
      const next = this.#slots[this.#first]?.reply;
      if (next === undefined) break;
      this.waitingSize -= next.length;
      this.#output.add(next);
      this.#first++;
    }
    if (this.#first === this.#slots.length) {
      this.#slots = [];
      this.#first = 0;
      this.#emptied();
    } else if (this.#first > 512) {
      this.#slots.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Writes what is due at once. */
  flush(): void {
    this.#output.flush();
  }
}
