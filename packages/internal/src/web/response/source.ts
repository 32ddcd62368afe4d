// The source of a representation's content: memory, a file, or another one, such as a store of a contrib package.

import type { FileEntry } from "../../fixtures/fcache-entry.ts";
import type { FileRegion } from "../../http/exchan.ts";
import { readRegion } from "../../http/file-region.ts";
import type { ByteRange } from "./range.ts";

/** Immutable content of a known size. */
export interface Source {
  /** In bytes. */
  readonly size: number;
  /** The complete content, if it is in memory: responses are then synchronous, and `open` is not called. */
  readonly content?: Uint8Array | undefined;
  /**
   * Acquires it for one response: its content stays available until it is disposed. Called in the turn in which the
   * response begins.
   */
  open(): OpenSource;
}

/** A source that one response has acquired. */
export interface OpenSource extends Disposable {
  /** The bytes of a range, in pieces of any size, in their own memory. Throws if they cannot all be read. */
  read(range: ByteRange): AsyncIterable<Uint8Array>;
  /** The range as part of an open file, which connections can send at a lower cost. Absent if there is no such file. */
  regionOf?(range: ByteRange): FileRegion;
}

/** A source of bytes in memory, which must not change. It holds nothing that would have to be released. */
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

/** A file that the fcache holds open; small contents are in memory. */
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
