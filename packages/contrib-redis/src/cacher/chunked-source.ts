// Large content in Redis, which is read in chunks when it is sent.

import type { OpenSource, Source } from "@hemi/internal";
import { RedisFailure } from "../failure.ts";
import type { Lane } from "../lane.ts";

export interface ChunkedSourceOptions {
  /** In bytes. */
  readonly size: number;
  /** Of all chunks but the last, in bytes. */
  readonly chunkSize: number;
  /** The key of the chunks. */
  readonly key: string;
  readonly lane: () => Lane;
}

/** One chunk is asked for while the one before it is sent. */
export class ChunkedSource implements Source {
  readonly #options: ChunkedSourceOptions;

  constructor(options: ChunkedSourceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.size;
  }

  /** Contents outlive their records in Redis, for as long as somebody may be reading them. */
  open(): OpenSource {
    return { read: ({ offset, size }) => this.#read(offset, offset + size), [Symbol.dispose]: () => {} };
  }

  async *#read(start: number, end: number): AsyncGenerator<Uint8Array, void, void> {
    const { chunkSize } = this.#options;
    const last = Math.ceil(end / chunkSize);
    let next = this.#chunk(Math.floor(start / chunkSize));
    for (let number = Math.floor(start / chunkSize); number < last; number++) {
      const chunk = await next;
      if (chunk instanceof Error) throw chunk;
      if (number + 1 < last) next = this.#chunk(number + 1);
      const at = number * chunkSize;
      yield chunk.subarray(Math.max(0, start - at), Math.min(chunk.length, end - at));
    }
  }

  /** Never rejects: nobody may be waiting for it any more. */
  async #chunk(number: number): Promise<Buffer | RedisFailure> {
    const { key, size, chunkSize, lane } = this.#options;
    try {
      const chunk = await lane().callBytes("HGET", [key, number]);
      const wanted = Math.min(chunkSize, size - number * chunkSize);
      if (Buffer.isBuffer(chunk) && chunk.length === wanted) return chunk;
      return new RedisFailure("Redis has evicted a response while it was sent");
    } catch (error) {
      return error instanceof RedisFailure ? error : new RedisFailure(String(error), { cause: error });
    }
  }
}
