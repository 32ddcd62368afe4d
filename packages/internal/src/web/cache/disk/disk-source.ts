// The content of a stored response on disk.

import { closeSync, openSync } from "node:fs";
import { crc32 } from "node:zlib";
import { HemiError } from "../../../errors/hemi-error.ts";
import { readRegion } from "../../../http/file-region.ts";
import type { ByteRange } from "../../response/range.ts";
import type { OpenSource, Source } from "../../response/source.ts";
import { closeFile, hasContent, type ContentSum } from "./wobject-file.ts";

/** Large content, which is read when it is sent. The file stays open while somebody reads it, removed or not. */
export class DiskSource implements Source {
  readonly size: number;
  readonly #path: string;
  readonly #sum: number;
  readonly #damaged: (error?: unknown) => void;
  #fd: number | undefined;
  /** One for the index of the cacher, and one for each reader. */
  #users = 1;

  /** Takes over the descriptor. `damaged` is called when the content is not what was written, or cannot be read. */
  constructor(path: string, fd: number, { size, sum }: ContentSum, damaged: (error?: unknown) => void) {
    this.#path = path;
    this.#fd = fd;
    this.size = size;
    this.#sum = sum;
    this.#damaged = damaged;
  }

  open(): OpenSource {
    // A request that has validated it may come after the index has closed it. Throws if it was removed meanwhile.
    const fd = (this.#fd ??= this.#reopen());
    this.#users++;
    return { read: (range) => this.#read(fd, range), [Symbol.dispose]: () => this.release() };
  }

  #reopen(): number {
    const fd = openSync(this.#path, "r");
    if (hasContent(fd, { size: this.size, sum: this.#sum })) return fd;
    closeSync(fd);
    throw new HemiError("HEMI_FILE", `${this.#path} was replaced by another response`);
  }

  release(): void {
    if (--this.#users > 0 || this.#fd === undefined) return;
    closeFile(this.#fd).catch(() => undefined);
    this.#fd = undefined;
  }

  /** Whole content is checked before its last piece goes out: a client then sees that it is incomplete. */
  async *#read(fd: number, { offset, size }: ByteRange): AsyncGenerator<Uint8Array, void, void> {
    const isWhole = offset === 0 && size === this.size;
    let sum = 0;
    let left = size;
    for await (const piece of this.#pieces(fd, { offset, size })) {
      left -= piece.length;
      if (isWhole) sum = crc32(piece, sum);
      if (left === 0 && isWhole && sum !== this.#sum) {
        this.#damaged();
        throw new HemiError("HEMI_FILE", `${this.#path} was changed by others: its checksum is wrong`);
      }
      yield piece;
    }
  }

  async *#pieces(fd: number, { offset, size }: ByteRange): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* readRegion({ fd, offset, size });
    } catch (error) {
      this.#damaged(error);
      throw error;
    }
  }
}
