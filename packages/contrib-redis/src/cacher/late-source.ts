// Small content that was left in Redis when its head was read: it is read when it is sent.

import type { OpenSource, Source } from "@hemi/internal";

/** Sending fails if the content is not there any more. */
export class LateSource implements Source {
  /** In bytes. */
  readonly size: number;
  readonly #read: () => Promise<Uint8Array>;

  /** `read` gives all of it, and rejects with RedisFailure. */
  constructor(size: number, read: () => Promise<Uint8Array>) {
    this.size = size;
    this.#read = read;
  }

  open(): OpenSource {
    const readAll = this.#read;
    return {
      async *read({ offset, size }) {
        yield (await readAll()).subarray(offset, offset + size);
      },
      [Symbol.dispose]: () => {},
    };
  }
}
