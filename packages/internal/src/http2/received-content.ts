// The content of one message, between the frames that bring it and whoever asks for it.

import { Buffer } from "node:buffer";
import { ContentRate } from "../http/content-rate.ts";
import { readBlocks } from "../net/read-blocks.ts";
import { readSize } from "../net/shared-buffer.ts";
import { ReceiveWindow } from "./windows.ts";

export class ReceivedContent {
  readonly window: ReceiveWindow;
  readonly rate = new ContentRate();
  /** In bytes, as far as it has come. */
  received = 0;
  /** All of it has come. */
  isWhole = false;
  /** In bytes, what nobody has asked for yet: copied, because a piece would keep all that was read with it. */
  kept = 0;
  /** Blocks that are full, the first ones of what is kept; most messages never have one. */
  #full: Buffer[] | undefined;
  /** What follows them, up to `#end`: a block, or less memory where little has come. */
  #filling: Buffer | undefined;
  #end = 0;
  /** The last piece that was taken, if it is a block that can be given back. */
  #lentPiece: Buffer | undefined;
  #lentBlock: Buffer | undefined;

  constructor(windowSize: number) {
    this.window = new ReceiveWindow(windowSize);
  }

  /** Keeps bytes until they are asked for. The window bounds how many there are. */
  keep(bytes: Buffer, start: number, end: number): void {
    this.kept += end - start;
    while (start < end) {
      const into = this.#roomFor(end - start);
      const size = Math.min(end - start, into.length - this.#end);
      bytes.copy(into, this.#end, start, start + size);
      this.#end += size;
      start += size;
    }
  }

  /** Memory with room behind `#end`: for all of `size` bytes, unless that is a block. */
  #roomFor(size: number): Buffer {
    let filling = this.#filling;
    if (filling !== undefined && filling.length - this.#end >= size) return filling;
    if (filling?.length === readSize) {
      if (this.#end < readSize) return filling;
      (this.#full ??= []).push(filling);
      filling = undefined;
      this.#end = 0;
    }
    const isLittle = this.#end + size < minInBlock;
    const larger = isLittle ? Buffer.allocUnsafeSlow(Math.max(minRoom, 2 * this.#end + size)) : readBlocks.lend();
    filling?.copy(larger, 0, 0, this.#end);
    return (this.#filling = larger);
  }

  /** The next piece of what is kept; `undefined` if there is nothing. */
  take(): Buffer | undefined {
    this.#lentPiece = this.#lentBlock = undefined;
    let memory = this.#full?.shift();
    let size = readSize;
    if (memory === undefined) {
      memory = this.#filling;
      size = this.#end;
      this.#filling = undefined;
      this.#end = 0;
    }
    if (memory === undefined) return undefined;
    this.kept -= size;
    const piece = memory.subarray(0, size);
    if (memory.length < readSize) return piece;
    if (size < minHandedOut) {
      const copy = Buffer.allocUnsafeSlow(size);
      piece.copy(copy);
      readBlocks.giveBack(memory);
      return copy;
    }
    this.#lentPiece = piece;
    this.#lentBlock = memory;
    return piece;
  }

  /**
   * For who has just taken this piece: the function that gives its memory back. `undefined` if there is nothing to give
   * back.
   */
  lent(piece: Uint8Array): (() => void) | undefined {
    const block = this.#lentBlock;
    if (block === undefined || piece !== this.#lentPiece) return undefined;
    this.#lentPiece = this.#lentBlock = undefined;
    return () => readBlocks.giveBack(block);
  }

  drop(): void {
    for (const block of this.#full ?? []) readBlocks.giveBack(block);
    if (this.#filling?.length === readSize) readBlocks.giveBack(this.#filling);
    this.#full = this.#filling = undefined;
    this.#end = this.kept = 0;
  }
}

/** In bytes. */
const minRoom = 1024;
/** In bytes: what begins a block. Less has memory of its own size. */
const minInBlock = 16 * 1024;
/** In bytes. Who keeps a piece without giving it back keeps a whole block: half of it at least should be the piece. */
const minHandedOut = readSize / 2;
