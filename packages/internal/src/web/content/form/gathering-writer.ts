// Writes to a file in large pieces, even if the input is in small ones.

import type { FileHandle } from "node:fs/promises";

/** The maximum number of buffered bytes. */
export const gatheredSize = 64 * 1024;

/**
 * Each file write is a system call on a separate thread. For a client that sends its content byte by byte, this would
 * cost a thousand times more than the byte. One call runs at a time. The writer does not close the file.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  readonly #failed: (error: unknown) => never;
  /** Allocated for the first small piece. */
  #held: Buffer | undefined;
  #heldSize = 0;

  /** `failed` throws the error that reports a failed write. */
  constructor(file: FileHandle, failed: (error: unknown) => never) {
    this.#file = file;
    this.#failed = failed;
  }

  /** The piece may be reused after this resolves. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.#heldSize + piece.length > gatheredSize) await this.flush();
    if (piece.length >= gatheredSize) return await this.#append(piece);
    this.#held ??= Buffer.allocUnsafeSlow(gatheredSize);
    this.#held.set(piece, this.#heldSize);
    this.#heldSize += piece.length;
  }

  /** Writes the buffered bytes. Call it before you close the file. */
  async flush(): Promise<void> {
    if (this.#held === undefined || this.#heldSize === 0) return;
    const gathered = this.#held.subarray(0, this.#heldSize);
    this.#heldSize = 0;
    await this.#append(gathered);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#file.appendFile(bytes).catch(this.#failed);
  }
}
