// Capsules on a stream that has left HTTP (RFC 9297 3.2): datagrams of CONNECT-UDP, and whatever an extension sends.
//
//  bytes ──> type, length ──> of a type that is handled? ── no ──> skipped, whatever its size
//                                                        └─ yes ─> kept until it is whole ──> the handler

import { Buffer } from "node:buffer";
import { readVarint, sizeOfVarint, varintSize, writeVarint } from "@hemi/common";

/** Types of capsules: RFC 9297 3.5. Extensions have their own. */
export const capsuleType = {
  /** A datagram whose format the protocol of the stream defines. */
  datagram: 0,
} as const;

/** Receives the capsules of a stream. */
export interface CapsuleHandler {
  /** How large the value of such a capsule may be, in bytes. `undefined`: capsules of this type are skipped. */
  maxCapsuleSize(type: number): number | undefined;
  /** A whole capsule. The value may be part of what was pushed, and is valid as long as that. */
  capsuleReceived(type: number, value: Buffer): void;
}

/** Cuts a stream into capsules, wherever its pieces are cut. */
export class CapsuleReader {
  readonly #handler: CapsuleHandler;
  /** The beginning of a type and a length. */
  #head: Buffer = noBytes;
  /** How many bytes of a skipped capsule are still to come. */
  #skipped = 0;
  #type = 0;
  /** Room for a value that comes in several pieces, and how much of it has come. */
  #value: Buffer | undefined;
  #filled = 0;

  constructor(handler: CapsuleHandler) {
    this.#handler = handler;
  }

  /** Whether the stream may end here. Otherwise a capsule is cut short, and the message is malformed (RFC 9297 3.3). */
  get isBetweenCapsules(): boolean {
    return this.#head.length === 0 && this.#skipped === 0 && this.#value === undefined;
  }

  /** Returns false for a capsule that is larger than its type may be: the stream is to be given up. */
  push(piece: Buffer): boolean {
    let bytes = piece;
    let at = 0;
    if (this.#head.length > 0) {
      bytes = Buffer.concat([this.#head, piece]);
      this.#head = noBytes;
    }
    while (at < bytes.length) {
      if (this.#skipped > 0) {
        const size = Math.min(this.#skipped, bytes.length - at);
        this.#skipped -= size;
        at += size;
      } else if (this.#value !== undefined) at = this.#fill(this.#value, bytes, at);
      else {
        const begun = this.#begin(bytes, at);
        if (begun === "tooLarge") return false;
        at = begun;
      }
    }
    return true;
  }

  /** Reads a type and a length, and the value if all of it is there. Returns where it has stopped. */
  #begin(bytes: Buffer, start: number): number | "tooLarge" {
    const type = readVarint(bytes, start);
    const lengthAt = start + varintSize(bytes[start] ?? 0);
    const length = type < 0 ? -1 : readVarint(bytes, lengthAt);
    if (length < 0) {
      this.#head = Buffer.from(bytes.subarray(start));
      return bytes.length;
    }
    const at = lengthAt + varintSize(bytes[lengthAt] ?? 0);
    const max = this.#handler.maxCapsuleSize(type);
    if (max === undefined) {
      this.#skipped = length;
      return at;
    }
    if (length > max) return "tooLarge";
    const end = at + length;
    if (end > bytes.length) {
      this.#type = type;
      this.#value = Buffer.allocUnsafeSlow(length);
      this.#filled = 0;
      return at;
    }
    this.#handler.capsuleReceived(type, bytes.subarray(at, end));
    return end;
  }

  #fill(value: Buffer, bytes: Buffer, at: number): number {
    const size = bytes.copy(value, this.#filled, at);
    this.#filled += size;
    if (this.#filled === value.length) {
      this.#value = undefined;
      this.#handler.capsuleReceived(this.#type, value);
    }
    return at + size;
  }
}

/** A capsule whose value is these parts, one behind the other. */
export function capsule(type: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = Buffer.allocUnsafe(sizeOfVarint(type) + sizeOfVarint(length) + length);
  let at = writeVarint(length, bytes, writeVarint(type, bytes, 0));
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const noBytes = Buffer.alloc(0);
