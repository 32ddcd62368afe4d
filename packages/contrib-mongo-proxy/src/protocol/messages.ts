// Messages of MongoDB ("MongoDB Wire Protocol"): a length that counts itself, two ids, an operation, and a body.

import { GatheredBytes } from "@hemi/common";

/** The peer speaks something else, or more than it may. */
export class ProtocolError extends Error {}

/** The operations that are spoken. The first two are for the first message of a client only. */
export const operations = { reply: 1, query: 2004, compressed: 2012, message: 2013 } as const;

export const headSize = 16;

/** The head of a message. */
export interface MessageHead {
  readonly requestId: number;
  /** The request that this is a reply to. */
  readonly responseTo: number;
  readonly operation: number;
}

/** Of a whole message. */
export function readHead(message: Buffer): MessageHead {
  return {
    requestId: message.readInt32LE(4),
    responseTo: message.readInt32LE(8),
    operation: message.readInt32LE(12),
  };
}

/** A whole message. */
export function writeMessage(
  { requestId, responseTo, operation }: MessageHead,
  ...body: readonly Uint8Array[]
): Buffer {
  const head = Buffer.alloc(headSize);
  const length = body.reduce((sum, each) => sum + each.length, headSize);
  for (const [i, value] of [length, requestId, responseTo, operation].entries()) head.writeInt32LE(value, i * 4);
  return Buffer.concat([head, ...body]);
}

/** Finds messages in bytes that come in pieces of any size. The bytes of a message may be kept. */
export class MessageReader {
  readonly #maxSize: () => number;
  readonly #took: (message: Buffer) => void;
  /** The beginning of a message. */
  readonly #incomplete = new GatheredBytes();
  /** As long as fewer bytes are there, looking again is of no use. */
  #needed = headSize;
  #isStopped = false;

  /** `maxSize`: in bytes, of one message. */
  constructor(maxSize: () => number, took: (message: Buffer) => void) {
    this.#maxSize = maxSize;
    this.#took = took;
  }

  /** Throws a ProtocolError; nothing may be added after that. `isShared`: the bytes will change. */
  add(bytes: Buffer, isShared: boolean): void {
    let at = 0;
    // At first the head, which tells how long the message is.
    while (this.#incomplete.size > 0) {
      const end = Math.min(bytes.length, at + this.#needed - this.#incomplete.size);
      this.#incomplete.add(bytes.subarray(at, end));
      at = end;
      if (this.#incomplete.size < this.#needed) return;
      this.#scanned(this.#incomplete.take());
    }
    const rest = bytes.subarray(at);
    if (rest.length > 0) this.#scanned(isShared ? Buffer.from(rest) : rest);
  }

  /** Takes nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  #scanned(bytes: Buffer): void {
    const rest = this.#scan(bytes);
    if (rest < bytes.length) this.#incomplete.add(bytes.subarray(rest));
  }

  /** Returns where the first incomplete message begins. */
  #scan(bytes: Buffer): number {
    let start = 0;
    this.#needed = headSize;
    while (start + headSize <= bytes.length && !this.#isStopped) {
      const length = bytes.readInt32LE(start);
      if (length < headSize) throw new ProtocolError("a message with a length that lies");
      if (length > this.#maxSize()) throw new ProtocolError(`a message of more than ${this.#maxSize()} bytes`);
      if (start + length > bytes.length) {
        this.#needed = length;
        break;
      }
      this.#took(bytes.subarray(start, start + length));
      start += length;
    }
    return this.#isStopped ? bytes.length : start;
  }
}
