// Packets of the MySQL protocol ("MySQL Packets"): a length of three bytes, a sequence number, and a payload. A payload
// of the maximum length goes on in the next packet.

import { GatheredBytes } from "@hemi/common";

/** The peer speaks something else, or more than it may. */
export class ProtocolError extends Error {}

/** One complete message, of one packet or more. The bytes are valid until the callback returns. */
export type MessageTaker = (bytes: Buffer, start: number, end: number) => void;

/** Length and sequence number. */
export const headSize = 4;

/** The maximum length of the payload of a packet. */
export const maxPayload = 0xff_ff_ff;

/** Finds messages in bytes that come in pieces of any size. */
export class MessageReader {
  readonly #maxSize: () => number;
  readonly #took: MessageTaker;
  /** The beginning of a message. */
  readonly #incomplete = new GatheredBytes();
  /** As long as fewer bytes are there, looking again is of no use. */
  #needed = headSize;
  #isStopped = false;

  /** `maxSize`: in bytes, of one message. */
  constructor(maxSize: () => number, took: MessageTaker) {
    this.#maxSize = maxSize;
    this.#took = took;
  }

  /** Throws a ProtocolError; nothing may be added after that. What the reader keeps of the bytes, it copies. */
  add(bytes: Buffer): void {
    if (this.#incomplete.size === 0) return this.#scanned(bytes);
    this.#incomplete.add(bytes);
    if (this.#incomplete.size >= this.#needed) this.#scanned(this.#incomplete.take());
  }

  /** Whether no message has begun. */
  get isEmpty(): boolean {
    return this.#incomplete.size === 0;
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
    while (!this.#isStopped) {
      const end = this.#endOf(bytes, start);
      if (end < 0) return start;
      this.#took(bytes, start, end);
      start = end;
    }
    return bytes.length;
  }

  /** Where the message that begins at `start` ends; -1: it is not complete. */
  #endOf(bytes: Buffer, start: number): number {
    for (let at = start; ;) {
      if (at + headSize > bytes.length) return this.#need(at + headSize - start);
      const length = bytes.readUIntLE(at, 3);
      const end = at + headSize + length;
      if (end - start > this.#maxSize()) throw new ProtocolError(`a message of more than ${this.#maxSize()} bytes`);
      if (end > bytes.length) return this.#need(end - start);
      if (length < maxPayload) return end;
      at = end;
    }
  }

  #need(size: number): -1 {
    this.#needed = size;
    return -1;
  }
}

/** A message of one packet. The payload must be shorter than `maxPayload`. */
export function packet(sequence: number, ...payload: readonly (Buffer | string)[]): Buffer {
  const pieces = payload.map((each) => (typeof each === "string" ? Buffer.from(each) : each));
  const head = Buffer.alloc(headSize);
  head.writeUIntLE(
    pieces.reduce((sum, { length }) => sum + length, 0),
    0,
    3,
  );
  head.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([head, ...pieces]);
}

/** The sequence number of the answer to a message. */
export function sequenceAfter(bytes: Buffer, start: number, end: number): number {
  const packets = 1 + Math.floor((end - start) / (headSize + maxPayload));
  return ((bytes[start + 3] ?? 0) + packets) & 0xff;
}

/** An integer of two bytes. */
export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value, 0);
  return bytes;
}

/** An integer of four bytes. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
}

/** Reads a payload from its beginning to its end. Beyond the end it throws a ProtocolError. */
export class PayloadReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(payload: Buffer) {
    this.#bytes = payload;
  }

  /** The number of bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(count: number): Buffer {
    if (count > this.left) throw new ProtocolError("a packet that is too short");
    const start = this.#at;
    this.#at += count;
    return this.#bytes.subarray(start, this.#at);
  }

  integer(size: 1 | 2 | 3 | 4): number {
    return this.bytes(size).readUIntLE(0, size);
  }

  /** A text with a zero behind it. The last one of a packet may lack it. */
  text(): string {
    const zero = this.#bytes.indexOf(0, this.#at);
    const text = this.bytes((zero < 0 ? this.#bytes.length : zero) - this.#at).toString("utf8");
    if (zero >= 0) this.#at++;
    return text;
  }

  /** A "length-encoded integer". Those of more than four bytes do not occur where this is used. */
  length(): number {
    const first = this.integer(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.integer(2);
    if (first === 0xfd) return this.integer(3);
    throw new ProtocolError("a length that lies");
  }
}
