// Replaces matches in content that arrives in pieces.

import { Buffer } from "node:buffer";
import type { ContentFilter, PushPiece } from "@hemi/internal";
import type { Program } from "./pattern/program.ts";
import { Scanner } from "./pattern/scanner.ts";
import type { Replacer } from "./replacement.ts";

export interface ReplaceLimits {
  readonly maxCount: number;
  /** In bytes. */
  readonly maxMatchSize: number;
}

/**
 * In bytes, of content that is searched before what came of it is handed on: a replacement may be much longer than what
 * it replaces.
 */
const maxStretch = 16 * 1024;

export class ReplaceFilter implements ContentFilter {
  readonly #scanner: Scanner;
  /** What has been made and not handed on. */
  #made: Buffer[] = [];

  /** `replacers`: by pattern. */
  constructor(program: Program, replacers: readonly Replacer[], { maxCount, maxMatchSize }: ReplaceLimits) {
    let count = 0;
    this.#scanner = new Scanner(program, maxMatchSize, {
      text: (bytes) => void this.#made.push(bytes),
      match: (pattern, group) => {
        this.#made.push(...(replacers[pattern]?.(group) ?? []));
        return ++count < maxCount;
      },
    });
  }

  whole(content: Uint8Array): Uint8Array | undefined {
    if (content.length > maxStretch) return undefined;
    this.#scanner.push(content);
    this.#scanner.end();
    return this.#take();
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    for (let at = 0; at < piece.length; at += maxStretch) {
      this.#scanner.push(piece.subarray(at, at + maxStretch));
      await this.#handOn(next);
    }
  }

  async end(next: PushPiece): Promise<void> {
    this.#scanner.end();
    await this.#handOn(next);
  }

  async #handOn(next: PushPiece): Promise<void> {
    const made = this.#take();
    if (made.length > 0) await next(made);
  }

  #take(): Buffer {
    const made = Buffer.concat(this.#made);
    this.#made = [];
    return made;
  }
}
