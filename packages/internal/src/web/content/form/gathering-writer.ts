// Writes to a file in large pieces, however small those are that come.

import type { FileHandle } from "node:fs/promises";

/** Bytes that are held back at most. */
export const gatheredSize = 64 * 1024;

/**
 * Each write of a file is a call of the system on a thread of its own: for a client that sends its content byte by byte
 * it would cost a thousand times what the byte did. One call at a time; the writer does not close the file.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  readonly #failed: (error: unknown) => never;
  /** Made when the first small piece comes. */
  #held: Buffer | undefined;
  #heldSize = 0;

  /** `failed` throws what a failed write is to be told by. */
  constructor(file: FileHandle, failed: (error: unknown) => never) {
    this.#file = file;
    this.#failed = failed;
  }

  /** The piece may be used again when this has resolved. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.#heldSize + piece.length > gatheredSize) await this.flush();
    if (piece.length >= gatheredSize) return await this.#append(piece);
    this.#held ??= Buffer.allocUnsafeSlow(gatheredSize);
    this.#held.set(piece, this.#heldSize);
    this.#heldSize += piece.length;
  }

  /** Writes what is held back: to be called before the file is closed. */
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
