// Remembers answers, and for a while longer than they live (RFC 8767).

import { LRUCache } from "lru-cache";
import type { Answer } from "../message/answer.ts";

/** An answer, and since when it is there. */
export interface StoredAnswer {
  readonly answer: Answer;
  /** On the monotonic clock, in milliseconds. */
  readonly storedAt: number;
  /** When it could not be had anew, on the same clock; -Infinity: that was not tried. */
  failedAt: number;
}

export class AnswerCache {
  readonly #answers: LRUCache<string, StoredAnswer>;

  /** `maxSize`: in bytes. */
  constructor(maxSize: number) {
    this.#answers = new LRUCache({ maxSize, sizeCalculation: ({ answer }, key) => sizeOf(answer, key) });
  }

  /** The number of answers. */
  get size(): number {
    return this.#answers.size;
  }

  find(key: string): StoredAnswer | undefined {
    return this.#answers.get(key);
  }

  store(key: string, answer: Answer, now: number): void {
    this.#answers.set(key, { answer, storedAt: now, failedAt: -Infinity });
  }

  delete(key: string): void {
    this.#answers.delete(key);
  }
}

/** With the objects around it. */
function sizeOf({ message, ttlOffsets }: Answer, key: string): number {
  return message.length + key.length + ttlOffsets.length * 8 + 300;
}
