// The replies to one client, in the order of its requests, whichever connections they come from.

import { OutputBatch } from "../output-batch.ts";

/** The place of a reply among those of a client. */
export interface ReplySlot {
  /** The size of the request, in bytes. */
  readonly size: number;
  /** What came before its turn. */
  reply: Buffer | undefined;
}

export class RepliesInOrder {
  readonly #output: OutputBatch;
  readonly #emptied: () => void;
  #slots: ReplySlot[] = [];
  /** The first one of `#slots` that is not filled and written. */
  #first = 0;
  /** The size of the requests without a reply, in bytes. */
  pendingSize = 0;
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
    const slot = { size: 0, reply: undefined };
    this.reserve(slot);
    this.fill(slot, reply);
  }

  /** The next reply will be filled in here. */
  reserve(slot: ReplySlot): void {
    this.#slots.push(slot);
    this.pendingSize += slot.size;
  }

  /** To be called once for each slot that was reserved. The bytes are copied. */
  fill(slot: ReplySlot, reply: Buffer): void {
    if (this.#slots[this.#first] !== slot) {
      slot.reply = Buffer.from(reply);
      this.waitingSize += reply.length;
      return;
    }
    this.#output.add(reply);
    this.#done(slot);
    for (;;) {
      const next = this.#slots[this.#first];
      if (next?.reply === undefined) break;
      this.waitingSize -= next.reply.length;
      this.#output.add(next.reply);
      this.#done(next);
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

  #done({ size }: ReplySlot): void {
    this.#first++;
    this.pendingSize -= size;
  }

  /** Writes what is due at once. */
  flush(): void {
    this.#output.flush();
  }
}
