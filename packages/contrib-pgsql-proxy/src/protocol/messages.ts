// Messages of the PostgreSQL protocol 3.0 ("Message Formats"): a type, a length that counts itself, and a body.

import { GatheredBytes } from "@hemi/common";

/** The peer speaks something else, or more than it may. */
export class ProtocolError extends Error {}

/** Gets what a reader finds. */
export interface MessageUser {
  /** In bytes, of one message. */
  readonly maxMessageSize: number;
  /** One complete message: its type, and where it is. The bytes are valid until it returns. */
  message(type: number, bytes: Buffer, start: number, end: number): void;
}

/** Finds messages in bytes that come in pieces of any size. */
export class MessageReader {
  readonly #user: MessageUser;
  /** The beginning of a message. Most connections never have one. */
  #incomplete: GatheredBytes | undefined;
  /** As long as fewer bytes are there, looking again is of no use. */
  #needed = 0;
  #isStopped = false;

  constructor(user: MessageUser) {
    this.#user = user;
  }

  /** Throws a ProtocolError; nothing may be added after that. What the reader keeps of the bytes, it copies. */
  add(bytes: Buffer): void {
    let at = 0;
    // Only what completes the message is copied: its head at first, which tells how long it is.
    while (this.#incomplete !== undefined) {
      const end = Math.min(bytes.length, at + this.#needed - this.#incomplete.size);
      this.#incomplete.add(bytes.subarray(at, end));
      at = end;
      if (this.#incomplete.size < this.#needed) return;
      const whole = this.#incomplete.take();
      this.#incomplete = undefined;
      this.#scan(whole);
    }
    if (at < bytes.length) this.#scan(bytes.subarray(at));
  }

  /** Takes nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  #scan(bytes: Buffer): void {
    const rest = this.#scanned(bytes);
    if (rest === bytes.length) return;
    this.#incomplete = new GatheredBytes();
    this.#incomplete.add(bytes.subarray(rest));
  }

  /** Returns where the first incomplete message begins. */
  #scanned(bytes: Buffer): number {
    let start = 0;
    while (start + headSize <= bytes.length && !this.#isStopped) {
      const length = bytes.readUInt32BE(start + 1);
      if (length < 4) throw new ProtocolError("a message with a length that lies");
      const { maxMessageSize } = this.#user;
      if (length > maxMessageSize) throw new ProtocolError(`a message of more than ${maxMessageSize} bytes`);
      const end = start + 1 + length;
      if (end > bytes.length) {
        this.#needed = end - start;
        return start;
      }
      this.#user.message(bytes[start] ?? 0, bytes, start, end);
      start = end;
    }
    this.#needed = headSize;
    return this.#isStopped ? bytes.length : start;
  }
}

/** Type and length. */
export const headSize = 5;

/** A message with this body. */
export function message(type: string, ...body: readonly (Buffer | string)[]): Buffer {
  const bytes = body.map((each) => (typeof each === "string" ? Buffer.from(each) : each));
  const head = Buffer.alloc(headSize);
  head.write(type, 0, "latin1");
  head.writeUInt32BE(
    bytes.reduce((sum, { length }) => sum + length, 4),
    1,
  );
  return Buffer.concat([head, ...bytes]);
}

/** Several messages as one piece. */
export function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** A text with its zero, and where it ends; throws a ProtocolError if it has none before `end`. */
export function readText(bytes: Buffer, start: number, end: number): { readonly text: string; readonly next: number } {
  const zero = bytes.indexOf(0, start);
  if (zero < 0 || zero >= end) throw new ProtocolError("a text without an end");
  return { text: bytes.toString("utf8", start, zero), next: zero + 1 };
}

/** An integer of four bytes. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0, 0);
  return bytes;
}

/** The state of a transaction in ReadyForQuery. */
export const idle = 73;

/** ReadyForQuery, outside of a transaction. */
export const readyIdle: Buffer = message("Z", "I");
export const parseComplete: Buffer = message("1");
export const closeComplete: Buffer = message("3");
export const authenticationOk: Buffer = message("R", int32(0));
