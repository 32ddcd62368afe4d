// The received, unread input of a connection.
//
// Most of it is in the buffer that all sockets read into, and is valid in the current turn of the event loop only. Data
// to keep is copied: much of it into a block of a pool, which whoever has used it up gives back.

import { Buffer } from "node:buffer";
import { readBlocks } from "./read-blocks.ts";

export class Input {
  /** The unread bytes start at `at`. Readers move `at` forward. */
  bytes: Buffer = noBytes;
  at = 0;
  #isShared = false;
  /** The block that `bytes` are in, if they are in one. */
  #block: Buffer | undefined;

  /** The number of unread bytes. */
  get size(): number {
    return this.bytes.length - this.at;
  }

  /** Adds input. `isShared`: it is in the shared buffer. */
  add(bytes: Buffer, isShared: boolean): void {
    const isBehind = this.at < this.bytes.length;
    this.bytes = isBehind ? Buffer.concat([this.bytes.subarray(this.at), bytes]) : bytes;
    this.#isShared = isShared && !isBehind;
    this.#block = undefined;
    this.at = 0;
  }

  /** Adds the first `size` bytes of a block of `readBlocks`, which belongs to the input from now on. */
  addBlock(block: Buffer, size: number): void {
    const isAlone = this.at === this.bytes.length;
    this.add(block.subarray(0, size), false);
    if (isAlone) this.#block = block;
  }

  /** After this call, unread data may be kept. Read data is released. */
  own(): void {
    if (this.at === this.bytes.length) this.clear();
    else if (this.#isShared) this.#copy(this.bytes.subarray(this.at));
  }

  #copy(bytes: Buffer): void {
    this.clear();
    if (bytes.length < minInBlock) this.bytes = ownCopy(bytes);
    else {
      const block = readBlocks.lend();
      bytes.copy(block);
      this.addBlock(block, bytes.length);
    }
  }

  /**
   * For who has read all of the input from `start` on as one piece: releases it, and returns the function that gives
   * the memory of the piece back. `undefined` if the piece is in no block, or not alone there: what stood before it, a
   * head or a piece of another message, may be kept by others.
   */
  lent(start: number): (() => void) | undefined {
    const block = this.#block;
    if (block === undefined || start > 0 || this.size > 0) return undefined;
    this.clear();
    return () => readBlocks.giveBack(block);
  }

  /** A copy of these bytes if they cannot be kept. */
  owned(piece: Buffer): Buffer {
    return this.#isShared ? ownCopy(piece) : piece;
  }

  /** The same for a piece that is the whole of something, and is passed on soon. */
  ownedWhole(piece: Buffer): Buffer {
    return this.#isShared ? passingCopy(piece, 0, piece.length) : piece;
  }

  /** The same for the next `size` bytes, which are there, and are read by that. */
  takeWhole(size: number): Buffer {
    if (size === 0) return noBytes;
    const { bytes, at } = this;
    this.at += size;
    return this.#isShared ? passingCopy(bytes, at, size) : bytes.subarray(at, at + size);
  }

  /** Removes and returns the unread data, which may be kept. */
  take(): Buffer {
    const rest = this.owned(this.bytes.subarray(this.at));
    this.clear();
    return rest;
  }

  clear(): void {
    this.bytes = noBytes;
    this.at = 0;
    this.#isShared = false;
    this.#block = undefined;
  }
}

const noBytes = Buffer.alloc(0);

/** In bytes. Who keeps a piece without giving it back keeps a whole block: most of it should be the piece. */
const minInBlock = 48 * 1024;

/**
 * From the pool of small buffers: memory of its own costs several times as much as the copy. Each such piece may keep a
 * slab of the pool in memory: many that are gathered must not.
 */
function passingCopy(bytes: Buffer, start: number, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size);
  if (size > maxLooped) bytes.copy(copy, 0, start, start + size);
  else for (let i = 0; i < size; i++) copy[i] = bytes[start + i] ?? 0;
  return copy;
}

/** In bytes: to call out of JavaScript costs as much as to copy this. */
const maxLooped = 64;

/** Pieces as one, which may be kept, as one of many. */
export function joinedCopy(pieces: readonly Buffer[]): Buffer {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  const joined = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const piece of pieces) at += piece.copy(joined, at);
  return joined;
}

/** Not from the pool: what is kept for long, or gathered, would keep a whole slab of it in memory for each piece. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
