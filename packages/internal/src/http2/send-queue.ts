// The content of one stream that waits for its turn, for the windows or for the socket.

import { BlockPool } from "../net/block-pool.ts";
import { defaultMaxFrameSize } from "./frames.ts";

/** A piece that waits behind another one. */
interface LaterPiece {
  readonly piece: Uint8Array;
  readonly block: ArrayBuffer | undefined;
}

export class SendQueue {
  /** `undefined`: none waits. */
  first: Uint8Array | undefined;
  /** Of the first piece, what has been sent. */
  offset = 0;
  /** In bytes. */
  size = 0;
  /** Nothing is added any more. */
  isEnded = false;
  trailerList: readonly string[] = [];
  isScheduled = false;
  /** Behind the pieces, a stretch of a file is to be sent: so many bytes of it, and who is told when it can be. */
  regionSize = 0;
  region: PromiseWithResolvers<number> | undefined;
  /** The memory that was lent for the first piece. */
  #block: ArrayBuffer | undefined;
  /** Those behind the first: most answers wait in one piece. */
  #later: LaterPiece[] | undefined;

  /** How many pieces wait. */
  get length(): number {
    return this.first === undefined ? 0 : 1 + (this.#later?.length ?? 0);
  }

  /** The piece must not be changed. */
  add(piece: Uint8Array): void {
    const { length } = piece;
    this.size += length;
    // A client that reads nothing must not keep a large buffer, such as one of a cache, for a small part of it.
    if (isWorth(length, piece.buffer.byteLength)) this.#push(piece, undefined);
    // Nor a block.
    else if (length > blockSize || !isWorth(length, blockSize)) this.#push(new Uint8Array(piece), undefined);
    else {
      const block = pool.lend();
      const copy = new Uint8Array(block, 0, length);
      copy.set(piece);
      this.#push(copy, block);
    }
  }

  /** The first piece was sent. */
  shift(): void {
    if (this.#block !== undefined) pool.giveBack(this.#block);
    const next = this.#later?.shift();
    this.first = next?.piece;
    this.#block = next?.block;
    this.offset = 0;
  }

  /** Nothing of it is sent any more. */
  drop(): void {
    while (this.first !== undefined) this.shift();
  }

  #push(piece: Uint8Array, block: ArrayBuffer | undefined): void {
    if (this.first === undefined) {
      this.first = piece;
      this.#block = block;
    } else (this.#later ??= []).push({ piece, block });
  }
}

/** In bytes: the answers that wait most often fit. */
const blockSize = defaultMaxFrameSize;
/** No prop: 4 MiB in all. */
const maxSpare = 256;
const pool = new BlockPool({ make: () => new ArrayBuffer(blockSize), maxSpare });

/** Whether as much memory may be kept for so many bytes that wait. */
function isWorth(size: number, memory: number): boolean {
  return size * 4 >= memory;
}
