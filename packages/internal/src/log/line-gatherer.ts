// Collects lines as bytes, in reused memory.
//
//   │ whole lines │ the line that is being written │ free │
//   0            size                            end

import { Buffer } from "node:buffer";
import type { LineWriter } from "./lines/line-writer.ts";

export class LineGatherer implements LineWriter {
  #space: Buffer = nothing;
  #size = 0;
  #end = 0;

  /** The collected lines. They share the collector's memory: use them before `clear`. */
  get bytes(): Buffer {
    return this.#space.subarray(0, this.#size);
  }

  /** The size of the collected lines, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** The same with the line that is being written. */
  get sizeWithLine(): number {
    return this.#end;
  }

  add(text: string): void {
    const start = this.#end;
    const end = start + text.length;
    if (end > this.#space.length) this.#grow(end);
    if (text.length > maxLooped) this.#space.write(text, start, "latin1");
    else for (let i = 0; i < text.length; i++) this.#space[start + i] = text.charCodeAt(i);
    this.#end = end;
  }

  addText(text: string): void {
    const end = this.#end + Buffer.byteLength(text);
    if (end > this.#space.length) this.#grow(end);
    this.#space.write(text, this.#end);
    this.#end = end;
  }

  /** The line is complete. */
  endLine(): void {
    this.#size = this.#end;
  }

  /** Nothing of the line stays. */
  dropLine(): void {
    this.#end = this.#size;
  }

  /** Starts again. After an unusually large amount, the memory is released. */
  clear(): void {
    this.#size = 0;
    this.#end = 0;
    if (this.#space.length > maxKept) this.#space = nothing;
  }

  #grow(size: number): void {
    const space = Buffer.allocUnsafeSlow(Math.max(minSpace, size, this.#space.length * 2));
    this.#space.copy(space, 0, 0, this.#end);
    this.#space = space;
  }
}

const nothing: Buffer = Buffer.alloc(0);
/** In characters: to call out of JavaScript costs as much as to copy this. */
const maxLooped = 8;
const minSpace = 4 * 1024;
/** In bytes. */
const maxKept = 1024 * 1024;
