// The messages that we send on one stream: in frames that the peer has credit for, and at the pace at which it reads.

import { frame, frameFlags, frameTypes, goAwayCodes, ProtocolFault } from "./frames.ts";
import { messageCost, type FailureReason } from "./inbox.ts";
import { maxCredit } from "./payloads.ts";

/** What all streams of a session send by. */
export interface FrameSink {
  /** Of a payload, in bytes, as the peer has it. */
  readonly maxFrameSize: number;
  /** The peer reads more slowly than is written. */
  readonly isBlocked: boolean;
  /** Settles when it has read. */
  drained(): Promise<void>;
  write(bytes: Uint8Array): void;
}

export class Outbox {
  readonly #streamId: number;
  readonly #sink: FrameSink;
  #credit: number;
  #failure: FailureReason | undefined;
  /** Resolved when there is more credit, or none is needed any more. */
  #creditCame: PromiseWithResolvers<void> | undefined;

  /** `credit`: what the peer takes before it has read anything, in bytes. */
  constructor(streamId: number, sink: FrameSink, credit: number) {
    this.#streamId = streamId;
    this.#sink = sink;
    this.#credit = credit;
  }

  /** The peer takes more. Throws ProtocolFault for more than there can be. */
  grant(amount: number): void {
    this.#credit += amount;
    if (this.#credit > maxCredit) throw new ProtocolFault("a stream has too much credit", goAwayCodes.flowControl);
    this.#wake();
  }

  /** The stream is over: whoever waits is told so. */
  fail(failure: FailureReason): void {
    this.#failure ??= failure;
    this.#wake();
  }

  /**
   * Sends a message with these flags. A promise: the next one must wait for it. It rejects with RpcError if the stream
   * ends meanwhile. One call at a time.
   */
  send(message: Uint8Array, flags: number): void | Promise<void> {
    const sink = this.#sink;
    const fits = message.length <= sink.maxFrameSize && message.length + messageCost <= this.#credit;
    if (!fits || sink.isBlocked || this.#failure !== undefined) return this.#sendPieces(message, flags);
    this.#write(message, flags);
    return this.#sink.isBlocked ? sink.drained() : undefined;
  }

  async #sendPieces(message: Uint8Array, flags: number): Promise<void> {
    let at = 0;
    do {
      const rest = message.length - at;
      // Not in tiny pieces: the peer grants at least half of the credit at once.
      const needed = Math.min(rest, leastPiece) + messageCost;
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure();
        if (this.#credit < needed) await this.#moreCredit();
        // One after the other: those that wait together must not all write at once.
        else if (this.#sink.isBlocked) await this.#sink.drained();
        else break;
      }
      const size = Math.min(rest, this.#sink.maxFrameSize, this.#credit - messageCost);
      this.#write(message.subarray(at, at + size), size < rest ? flags | frameFlags.more : flags);
      at += size;
    } while (at < message.length);
  }

  #moreCredit(): Promise<void> {
    this.#creditCame ??= Promise.withResolvers<void>();
    return this.#creditCame.promise;
  }

  #write(piece: Uint8Array, flags: number): void {
    this.#credit -= piece.length + messageCost;
    this.#sink.write(frame(frameTypes.message, flags, this.#streamId, piece));
  }

  #wake(): void {
    const came = this.#creditCame;
    this.#creditCame = undefined;
    came?.resolve();
  }
}

/** In bytes. */
const leastPiece = 1024;
