// What a connection sends: frames laid out one behind the other, and written at the end of the turn of the event loop
// in which they were made. So the answers to all that one reading brought share a write.
//
// Memory to lay out in is lent by a pool of the process, for as long as something is laid out and not written: idle
// connections have none.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { BlockPool } from "../net/block-pool.ts";
import { flushAtEndOfTurn, type Due } from "../net/end-of-turn.ts";

export class FrameOutput implements Due {
  /** Where to lay out, from `at` on; `reserve` gives room in it. */
  bytes: Buffer = noBytes;
  at = 0;
  isDue = false;
  /** How many there were: what is laid out makes up the next one, at the end of this turn or earlier. */
  writes = 0;
  readonly #socket: Socket;
  readonly #isSecure: boolean;
  #needsDrain = false;
  /** In bytes, all that the socket was given. */
  #written = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#isSecure = "encrypted" in socket;
  }

  /** The client takes less than it is sent, or nothing any more. */
  get isBlocked(): boolean {
    return this.#needsDrain || this.#socket.destroyed;
  }

  /** Nothing reaches the client any more. */
  get isCut(): boolean {
    return this.#socket.destroyed;
  }

  /** In bytes, what has been made and not yet taken by the system. */
  get backlog(): number {
    return this.at + this.#socket.writableLength;
  }

  /** In bytes, what the system has taken so far. It takes a write whole or not at all. */
  get taken(): number {
    return this.#written - this.#socket.writableLength;
  }

  /** Makes sure that `size` bytes, at most 64 KiB, have room in `bytes` behind `at`. Who writes them moves `at`. */
  reserve(size: number): void {
    if (this.bytes.length - this.at >= size) return;
    if (this.at > 0) this.flush();
    this.bytes = pool.lend();
    flushAtEndOfTurn(this);
  }

  /** Lays out bytes of any number. */
  write(bytes: Uint8Array, start = 0, end = bytes.length): void {
    while (start < end) {
      this.reserve(1);
      const size = Math.min(end - start, this.bytes.length - this.at);
      this.bytes.set(start === 0 && size === bytes.length ? bytes : bytes.subarray(start, start + size), this.at);
      this.at += size;
      start += size;
    }
  }

  /** Sends bytes behind what is laid out, without a copy. `written` is called when nobody needs them any more. */
  hand(bytes: Uint8Array, written: () => void): void {
    this.flush();
    let at = 0;
    for (; bytes.length - at > blockSize; at += blockSize) this.#socket.write(bytes.subarray(at, at + blockSize));
    this.#written += bytes.length;
    this.#noteWrite(this.#socket.write(bytes.subarray(at), written));
  }

  /** Sends what is laid out. */
  flush(): void {
    const { bytes, at } = this;
    if (bytes.length === 0) return;
    this.writes++;
    this.bytes = noBytes;
    this.at = 0;
    this.#written += at;
    if (at === 0) return pool.giveBack(bytes);
    if (this.#isEncryptedAtOnce) {
      this.#noteWrite(this.#socket.write(laidOut(bytes, at)));
      pool.giveBack(bytes);
    } else if (at <= maxCopied) {
      this.#noteWrite(this.#socket.write(copyOf(bytes, at)));
      pool.giveBack(bytes);
    } else {
      this.#noteWrite(this.#socket.write(laidOut(bytes, at), () => pool.giveBack(bytes)));
    }
  }

  /**
   * TLS encrypts a write before it returns, unless another one is under way: the block is free then. So all connections
   * use one block, which stays in the processor's cache.
   */
  get #isEncryptedAtOnce(): boolean {
    return this.#isSecure && this.#socket.writableLength === 0 && !this.#socket.connecting;
  }

  /** The socket has emptied. */
  unblocked(): void {
    this.#needsDrain = false;
  }

  #noteWrite(isTaken: boolean): void {
    if (!isTaken) this.#needsDrain = true;
  }
}

/**
 * In bytes: what a write carries at most, because nobody sees progress within one, and the memory that one slow client
 * can keep lent. Seven full records of TLS: what the default window of 64 KiB takes has room in one write, with its
 * frames' headers and the heads, and what a larger window takes is written in few. No prop: it is a matter of what a
 * write costs, and with more, it leaves the processor's cache.
 */
const blockSize = 112 * 1024;
/** So few bytes are copied, and their block is free at once. No prop: it is a matter of what a copy costs. */
const maxCopied = 16 * 1024;
/** No prop: 7 MiB in all. */
const maxSpare = 64;
const pool = new BlockPool<Buffer>({ make: () => Buffer.allocUnsafeSlow(blockSize), maxSpare });

const noBytes = Buffer.alloc(0);

function laidOut(block: Buffer, size: number): Buffer {
  return size === block.length ? block : block.subarray(0, size);
}

function copyOf(block: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size);
  block.copy(copy, 0, 0, size);
  return copy;
}
