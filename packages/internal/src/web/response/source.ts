// Where the content of a representation comes from: memory, a file, or something else such as a store of another
// package.

import type { FileEntry } from "../../fixtures/fcache-entry.ts";
import type { FileRegion } from "../../http/exchan.ts";
import { readRegion } from "../../http/file-region.ts";
import type { ByteRange } from "./range.ts";

/** Content of a known size, which never changes. */
export interface Source {
  /** In bytes. */
  readonly size: number;
  /** All of it, if it is in memory: then answers are synchronous, and `open` is not called. */
  readonly content?: Uint8Array | undefined;
  /**
   * Takes hold of it for one answer: what it reads is there until it is disposed of. Called in the turn in which the
   * answer begins.
   */
  open(): OpenSource;
}

/** A source in the hands of one answer. */
export interface OpenSource extends Disposable {
  /** The bytes of a range, in pieces of any size, in memory of their own. Throws if they cannot all be read. */
  read(range: ByteRange): AsyncIterable<Uint8Array>;
  /**
   * The range as a stretch of an open file, which connections can send at a lower cost. Left out: there is no such
   * file.
   */
  regionOf?(range: ByteRange): FileRegion;
}

export function memorySource(content: Uint8Array): Source {
  return {
    size: content.length,
    content,
    open: () => ({
      async *read({ offset, size }) {
        yield content.subarray(offset, offset + size);
      },
      [Symbol.dispose]: () => {},
    }),
  };
}

/** A file that is held open by the fcache, whose small contents are in memory. */
export function fileSource(file: FileEntry): Source {
  if (file.content !== undefined) return memorySource(file.content);
  return { size: file.size, open: () => new OpenFile(file) };
}

class OpenFile implements OpenSource {
  readonly #file: FileEntry;

  constructor(file: FileEntry) {
    this.#file = file;
    file.acquire();
  }

  regionOf({ offset, size }: ByteRange): FileRegion {
    return { fd: this.#file.fd, offset, size };
  }

  read(range: ByteRange): AsyncIterable<Uint8Array> {
    return readRegion(this.regionOf(range));
  }

  [Symbol.dispose](): void {
    this.#file.release();
  }
}
