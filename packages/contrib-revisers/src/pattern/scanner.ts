// Finds matches in content that comes piece by piece, in one pass: all ways that a match could go are followed at once,
// byte by byte (K. Thompson, Regular Expression Search Algorithm, 1968; with groups, R. Pike's).
//
//   bytes that are decided ──> handed on        bytes that may belong to a match: held, at most `maxMatchSize`
//
// No library that matches in linear time can be fed piece by piece: over a window, results would depend on where pieces
// end.

import { Buffer } from "node:buffer";
import type { Program } from "./program.ts";

export interface Match {
  readonly pattern: number;
  /** Where groups begin and end, counted from the beginning of the content; see Instruction. */
  readonly slots: readonly (number | undefined)[];
}

export interface ScannerHandler {
  /** Bytes that belong to no match. */
  text(bytes: Buffer): void;
  /** A match; `group(i)` gives what its groups matched, 0 all of it. False: look for no more of them. */
  match(pattern: number, group: (index: number) => Buffer): boolean;
}

/** One way that a match could go. */
interface Thread {
  readonly at: number;
  readonly slots: readonly (number | undefined)[];
}

export class Scanner {
  readonly #program: Program;
  readonly #taker: ScannerHandler;
  /** In bytes: a way that becomes longer is given up. */
  readonly #maxMatchSize: number;
  /** Bytes not handed on; the first one has the place `#base`. */
  #held: Buffer = Buffer.alloc(0);
  #base = 0;
  /** The next byte to be looked at. */
  #place = 0;
  /** The one liked best first; those that began earlier are liked better. */
  #threads: Thread[] = [];
  /** The best one so far; it counts when no thread that is liked better is left. */
  #found: Match | undefined;
  /** By instruction: the step in which it was last reached. */
  readonly #reached: Float64Array;
  #step = 0;
  #isDone = false;

  constructor(program: Program, maxMatchSize: number, taker: ScannerHandler) {
    this.#program = program;
    this.#maxMatchSize = maxMatchSize;
    this.#taker = taker;
    this.#reached = new Float64Array(program.instructions.length);
  }

  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#scan();
    this.#handOn(
      Math.min(
        this.#place,
        this.#found?.slots[0] ?? Infinity,
        ...this.#threads.map(({ slots }) => slots[0] ?? Infinity),
      ),
    );
    // What is held must not be a slice: it would keep the whole piece.
    this.#held = Buffer.from(this.#held);
  }

  end(): void {
    for (;;) {
      this.#scan();
      if (this.#found === undefined) break;
      this.#settle(this.#found);
    }
    this.#handOn(this.#end);
    this.#threads = [];
  }

  get #end(): number {
    return this.#base + this.#held.length;
  }

  #scan(): void {
    for (;;) {
      if (this.#threads.length === 0 && this.#found !== undefined) this.#settle(this.#found);
      else if (this.#place >= this.#end) return;
      else if (this.#isDone) this.#place = this.#end;
      else {
        if (this.#threads.length === 0) this.#place = this.#skip();
        if (this.#place < this.#end) this.#takeByte(this.#held[this.#place - this.#base] ?? 0);
      }
    }
  }

  /** The next place where a match can begin. */
  #skip(): number {
    const { prefix, firstBytes } = this.#program;
    const held = this.#held;
    let i = this.#place - this.#base;
    if (prefix.length > 1) {
      const found = held.indexOf(prefix, i);
      // A beginning of it can stand at the end.
      i = found < 0 ? Math.max(i, held.length - prefix.length + 1) : found;
    }
    while (i < held.length && firstBytes[held[i] ?? 0] === 0) i++;
    return this.#base + i;
  }

  #takeByte(byte: number): void {
    const { instructions } = this.#program;
    const threads: Thread[] = [];
    const oldest = this.#place - this.#maxMatchSize;
    // Those that stand before this byte, and one that begins here, liked least.
    if (this.#found === undefined && this.#program.firstBytes[byte] === 1) {
      this.#step++;
      for (const { at } of this.#threads) this.#reached[at] = this.#step;
      this.#follow(0, [], this.#place, this.#threads);
    }
    this.#step++;
    for (const { at, slots } of this.#threads) {
      const instruction = instructions[at];
      if (instruction?.kind !== "byte" || instruction.bytes[byte] === 0 || (slots[0] ?? 0) <= oldest) continue;
      // A match: those liked less have lost.
      if (this.#follow(instruction.next, slots, this.#place + 1, threads)) break;
    }
    this.#threads = threads;
    this.#place++;
  }

  /**
   * Adds the threads that one becomes before it takes the next byte. True: it matches, and those after it are liked
   * less.
   */
  #follow(at: number, slots: Thread["slots"], place: number, threads: Thread[]): boolean {
    if (this.#reached[at] === this.#step) return false;
    this.#reached[at] = this.#step;
    const instruction = this.#program.instructions[at];
    switch (instruction?.kind) {
      case "split":
        return (
          this.#follow(instruction.first, slots, place, threads) ||
          this.#follow(instruction.second, slots, place, threads)
        );
      case "save": {
        const saved = [...slots];
        saved[instruction.slot] = place;
        return this.#follow(instruction.next, saved, place, threads);
      }
      case "match":
        this.#found = { pattern: instruction.pattern, slots };
        return true;
      case "byte":
        threads.push({ at, slots });
        return false;
      case undefined:
        return false;
    }
  }

  /** A match counts: the search goes on behind it. */
  #settle({ pattern, slots }: Match): void {
    this.#found = undefined;
    this.#threads = [];
    const [begin = 0, end = 0] = slots;
    this.#handOn(begin);
    const held = this.#held;
    const base = this.#base;
    const goesOn = this.#taker.match(pattern, (index) =>
      held.subarray((slots[2 * index] ?? base) - base, (slots[2 * index + 1] ?? base) - base),
    );
    this.#held = held.subarray(end - base);
    this.#base = end;
    this.#place = end;
    this.#isDone = !goesOn;
  }

  #handOn(until: number): void {
    const count = until - this.#base;
    if (count <= 0) return;
    this.#taker.text(this.#held.subarray(0, count));
    this.#held = this.#held.subarray(count);
    this.#base = until;
  }
}
