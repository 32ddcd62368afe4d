// Many small pieces of memory in few buffers: a buffer of its own costs some hundred bytes. Larger ones have one.
//
//   slab   │ piece │ piece │ released │ piece │ released │ free │      filled from left to right
//                └──────────────────────┴── move to the current slab when more than half is released
//
// Bytes that were given out stay as they are: a slab is never filled twice, and lives as long as somebody reads it.

import { Buffer } from "node:buffer";

/** A buffer with pieces. */
export interface Slab {
  readonly bytes: Buffer;
  /** Where the free room begins. */
  used: number;
  /** The bytes of the pieces that are not released. */
  live: number;
  /** Those that are released are `undefined`. */
  readonly pieces: (Piece | undefined)[];
}

/** Who has a piece of a slab. */
export interface Piece {
  slab: Slab;
  /** In the slab, in bytes. */
  offset: number;
  /** In bytes, at least 1. */
  length: number;
  /** Its number in the slab. */
  index: number;
}

export class Slabs {
  /** In bytes; live. */
  readonly #slabSize: () => number;
  #current: Slab | undefined;
  #allocated = 0;
  #live = 0;

  constructor(slabSize: () => number) {
    this.#slabSize = slabSize;
  }

  /** The memory that is not in use: of released pieces, and at the ends of slabs, in bytes. */
  get waste(): number {
    return this.#allocated - this.#live;
  }

  /** A place for so many bytes. Give it to a piece with `hold` in the same turn. */
  reserve(length: number): { readonly slab: Slab; readonly offset: number } {
    const size = this.#slabSize();
    // Not worth a part of a slab: it would leave much free at the end. And whoever reads a large piece slowly keeps no
    // others in memory.
    if (length > Math.min(maxShared, size / 16)) return { slab: this.#newSlab(length), offset: 0 };
    const current = this.#current;
    if (current !== undefined && current.used + length <= current.bytes.length) {
      return { slab: current, offset: current.used };
    }
    this.#current = this.#newSlab(size);
    if (current === undefined) return { slab: this.#current, offset: 0 };
    this.#tidy(current);
    // What was moved is at the begin of the new one.
    return this.reserve(length);
  }

  /** The piece has its place. */
  hold(piece: Piece): void {
    const { slab, length } = piece;
    slab.used += length;
    slab.live += length;
    piece.index = slab.pieces.push(piece) - 1;
    this.#live += length;
  }

  /** The piece needs its place no longer. */
  release({ slab, length, index }: Piece): void {
    slab.pieces[index] = undefined;
    slab.live -= length;
    this.#live -= length;
    if (slab !== this.#current) this.#tidy(slab);
  }

  /** All of it is given up. */
  clear(): void {
    this.#current = undefined;
    this.#allocated = 0;
    this.#live = 0;
  }

  /** Empties a slab that is more than half released. */
  #tidy(slab: Slab): void {
    if (slab.live * 2 > slab.bytes.length) return;
    this.#allocated -= slab.bytes.length;
    this.#live -= slab.live;
    for (const piece of slab.pieces) {
      if (piece === undefined) continue;
      const bytes = slab.bytes.subarray(piece.offset, piece.offset + piece.length);
      const place = this.reserve(piece.length);
      piece.slab = place.slab;
      piece.offset = place.offset;
      piece.slab.bytes.set(bytes, piece.offset);
      this.hold(piece);
    }
  }

  #newSlab(size: number): Slab {
    this.#allocated += size;
    return { bytes: Buffer.allocUnsafeSlow(size), used: 0, live: 0, pieces: [] };
  }
}

/** In bytes. */
const maxShared = 8 * 1024;
