// Gathers the small messages that a stream sends within one turn of the event loop: they go out as one piece of content
// instead of one each.

import { Buffer } from "node:buffer";
import { envelope, envelopeHeadSize, writeEnvelopeHead } from "@hemi/common/rpc";
import { BlockPool } from "../../net/block-pool.ts";
import { flushAtEndOfTurn, type Due } from "../../net/end-of-turn.ts";

/** Sends a piece of content. Returns a promise if the client is slow. `done` may be called as `Response.echo` does. */
export type SendPiece = (piece: Uint8Array, done?: () => void) => void | Promise<void>;

export class MessageBatch implements Due {
  isDue = false;
  readonly #send: SendPiece;
  /** What was gathered, up to `#size`. */
  #block: Buffer | undefined;
  #size = 0;
  /** The client was slow when the turn ended: who sends the next message waits for it. */
  #slow: Promise<void> | undefined;

  constructor(send: SendPiece) {
    this.#send = send;
  }

  /** Takes a message; the promise of one who should wait before the next. */
  add(flags: number, message: Uint8Array): void | Promise<void> {
    const size = envelopeHeadSize + message.length;
    if (size > maxGathered) {
      this.flush();
      return this.#send(envelope(flags, message));
    }
    if (this.#size + size > blockSize) this.flush();
    const block = (this.#block ??= pool.lend());
    writeEnvelopeHead(block, this.#size, flags, message.length);
    block.set(message, this.#size + envelopeHeadSize);
    this.#size += size;
    flushAtEndOfTurn(this);
    const slow = this.#slow;
    this.#slow = undefined;
    return slow;
  }

  /** Sends what was gathered. */
  flush(): void {
    const block = this.#block;
    if (block === undefined) return;
    const piece = block.subarray(0, this.#size);
    this.#block = undefined;
    this.#size = 0;
    this.#slow = this.#send(piece, () => pool.giveBack(block)) ?? undefined;
  }
}

/** In bytes: what one DATA frame takes. */
const blockSize = 16 * 1024;
/** In bytes, with its head: a larger message is worth a piece of its own. */
const maxGathered = 4 * 1024;
/** No prop: 1 MiB in all. */
const maxSpare = 64;
const pool = new BlockPool<Buffer>({ make: () => Buffer.allocUnsafeSlow(blockSize), maxSpare });
