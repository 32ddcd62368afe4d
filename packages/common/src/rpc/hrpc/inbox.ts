// The messages of the peer on one stream: put together from frames, and kept until somebody asks for them. What they
// take is bounded by the credit that the peer has: it gets new credit for what was read.

import { noBytes } from "../bytes.ts";
import { tooLarge } from "../envelope.ts";
import type { RpcError } from "../rpc-error.ts";
import { frameFlags, goAwayCodes, ProtocolFault } from "./frames.ts";

/**
 * Makes the error for whoever still reads or writes on a stream that is over. Mostly there is nobody, and an error with
 * its stack costs more than a small call.
 */
export type FailureReason = () => RpcError;

/** A message as it came. */
export interface ReceivedMessage {
  readonly bytes: Uint8Array;
  /** The flag of its compression; 0 for none. */
  readonly coding: number;
}

/** A message that waits, and what it takes of the credit. */
export interface Kept extends ReceivedMessage {
  readonly cost: number;
}

/** What each MESSAGE frame takes of the credit beside its payload, in bytes: empty messages need memory, too. */
export const messageCost = 64;

export interface InboxOptions {
  /** What the peer may send before anything is read, in bytes. */
  readonly credit: number;
  /** Of a message, in bytes, as it comes. */
  readonly maxMessageSize: number;
  /** Gives the peer more credit. */
  readonly grant: (amount: number) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  /** What the peer may still send. */
  #credit: number;
  /** What was read and is not granted again yet. */
  #owed = 0;
  protected readonly messages: Kept[] = [];
  /** A message has begun and is incomplete: its first `#pieceSize` bytes have come. */
  #isWithin = false;
  /** Grows with the pieces: a list of them would take many times what a peer sends that makes them tiny. */
  #partial = noBytes;
  #pieceSize = 0;
  #pieceCost = 0;
  #pieceCoding = 0;
  #waiter: PromiseWithResolvers<ReceivedMessage | undefined> | undefined;
  #isEnded = false;
  #failure: FailureReason | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#credit = options.credit;
  }

  /** A frame has come. The payload is copied. Throws ProtocolFault if the peer had no credit for it. */
  push(payload: Uint8Array, flags: number): void {
    const cost = payload.length + messageCost;
    this.#credit -= cost;
    if (this.#credit < 0)
      throw new ProtocolFault("more came on a stream than it had credit for", goAwayCodes.flowControl);
    const coding = flags & (frameFlags.gzip | frameFlags.brotli);
    if (this.#isWithin && coding !== this.#pieceCoding) {
      throw new ProtocolFault("the pieces of a message have different flags");
    }
    // Nobody will read it.
    if (this.#failure !== undefined) return this.#grant(cost);
    const size = this.#pieceSize + payload.length;
    const { maxMessageSize } = this.#options;
    if (size > maxMessageSize) return this.fail(() => tooLarge(undefined, maxMessageSize));
    if ((flags & frameFlags.more) !== 0) this.#keepPiece(payload, cost, coding);
    else this.#complete(this.#joined(payload), coding, this.#pieceCost + cost);
  }

  /** No more messages come. Throws ProtocolFault within a message. */
  end(): void {
    if (this.#isWithin) throw new ProtocolFault("a stream ends within a message");
    this.#isEnded = true;
    this.#waiter?.resolve(undefined);
    this.#waiter = undefined;
  }

  /** Nothing more is to be read: what waits is dropped. The first error counts. */
  fail(failure: FailureReason): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.messages.length = 0;
    this.#dropPieces();
    this.#waiter?.reject(failure());
    this.#waiter = undefined;
  }

  /** The next message, `undefined` at the end. Throws or rejects with RpcError. One call at a time. */
  next(): ReceivedMessage | undefined | Promise<ReceivedMessage | undefined> {
    if (this.#failure !== undefined) throw this.#failure();
    const kept = this.messages.shift();
    if (kept !== undefined) {
      this.#grant(kept.cost);
      return kept;
    }
    if (this.#isEnded) return undefined;
    // The rest of a message that is wanted may be larger than the credit.
    this.#grant(this.#pieceCost);
    this.#pieceCost = 0;
    this.#waiter = Promise.withResolvers<ReceivedMessage | undefined>();
    return this.#waiter.promise;
  }

  /** Whether somebody wants the next message. */
  protected get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** A message has come for which nobody waits. */
  protected keep(message: Kept): void {
    this.messages.push(message);
  }

  #keepPiece(payload: Uint8Array, cost: number, coding: number): void {
    this.#isWithin = true;
    this.#append(payload);
    this.#pieceCoding = coding;
    if (this.isAwaited) this.#grant(cost);
    else this.#pieceCost += cost;
  }

  #complete(bytes: Uint8Array, coding: number, cost: number): void {
    this.#dropPieces();
    const waiter = this.#waiter;
    if (waiter === undefined) return this.keep({ bytes, coding, cost });
    this.#waiter = undefined;
    this.#grant(cost);
    waiter.resolve({ bytes, coding });
  }

  #joined(last: Uint8Array): Uint8Array {
    // Not `slice`: that of a Buffer of Node.js copies nothing.
    if (!this.#isWithin) return new Uint8Array(last);
    this.#append(last);
    return this.#partial.subarray(0, this.#pieceSize);
  }

  #append(piece: Uint8Array): void {
    const size = this.#pieceSize + piece.length;
    if (size > this.#partial.length) {
      const room = Math.min(2 * this.#partial.length, this.#options.maxMessageSize);
      const larger = new Uint8Array(Math.max(size, room));
      larger.set(this.#partial.subarray(0, this.#pieceSize));
      this.#partial = larger;
    }
    this.#partial.set(piece, this.#pieceSize);
    this.#pieceSize = size;
  }

  #dropPieces(): void {
    this.#isWithin = false;
    this.#partial = noBytes;
    this.#pieceSize = 0;
    this.#pieceCost = 0;
  }

  /** In few frames: as soon as half of the credit is owed. */
  #grant(amount: number): void {
    this.#owed += amount;
    if (this.#owed < this.#options.credit / 2 || this.#isEnded) return;
    this.#credit += this.#owed;
    this.#options.grant(this.#owed);
    this.#owed = 0;
  }
}
