// What patterns become: a program for the scanner, over the bytes of one charset.

import { Buffer } from "node:buffer";
import { type Node, PatternError } from "./syntax.ts";

/** A charset whose text can be searched byte by byte. */
export type Charset = "utf8" | "latin1";

export type Instruction =
  /** Takes a byte, one of those at which `bytes` has a 1. */
  | { readonly kind: "byte"; readonly bytes: Uint8Array; next: number }
  /** Goes on at both; what comes of the first is liked better. */
  | { readonly kind: "split"; first: number; second: number }
  /** Keeps the place. Slot 2i is where group i begins, 2i + 1 where it ends; group 0 is the whole match. */
  | { readonly kind: "save"; readonly slot: number; next: number }
  /** The pattern of that number matches. */
  | { readonly kind: "match"; readonly pattern: number };

export interface Program {
  readonly instructions: readonly Instruction[];
  /** By byte: 1 where a match can begin with it. */
  readonly firstBytes: Uint8Array;
  /** What each match begins with; empty if they begin differently. */
  readonly prefix: Buffer;
}

/** A pattern; of those that match at one place the first is taken. */
export interface Pattern {
  readonly node: Node;
  readonly ignoreCase: boolean;
}

/** Throws PatternError for a pattern that matches nothing at all, or becomes too large. */
export function compilePatterns(patterns: readonly Pattern[], charset: Charset): Program {
  const builder = new Builder(charset);
  const entry = builder.addAll(patterns);
  const { instructions } = builder;
  // The scanner begins at 0.
  const program = [{ kind: "split", first: entry, second: entry } as const, ...instructions.slice(1)];
  return { instructions: program, firstBytes: firstBytesOf(program), prefix: prefixOf(patterns, charset) };
}

/**
 * How many instructions there may be: about as many bytes of content as that are looked at in the worst case, for each
 * one.
 */
const maxInstructions = 5000;

/** Builds from the end to the beginning: each part is told where it goes on, and says where it begins. */
class Builder {
  /** The place of the first is kept free for the way in. */
  readonly instructions: Instruction[] = [{ kind: "match", pattern: -1 }];
  readonly #charset: Charset;
  #ignoreCase = false;

  constructor(charset: Charset) {
    this.#charset = charset;
  }

  addAll(patterns: readonly Pattern[]): number {
    let entry = -1;
    for (const [i, { node, ignoreCase }] of [...patterns.entries()].reverse()) {
      this.#ignoreCase = ignoreCase;
      const begin = this.#save(0, this.#add(node, this.#save(1, this.#put({ kind: "match", pattern: i }))));
      entry = entry < 0 ? begin : this.#put({ kind: "split", first: begin, second: entry });
    }
    return entry;
  }

  #add(node: Node, next: number): number {
    switch (node.kind) {
      case "text":
        return Buffer.from(node.text, this.#charset).reduceRight(
          (next, byte) => this.#byte(this.#caseSet(byte), next),
          next,
        );
      case "character":
        return this.#character(node.ascii, node.takesOthers, next);
      case "sequence":
        return node.nodes.reduceRight((next, part) => this.#add(part, next), next);
      case "choice":
        return node.nodes
          .map((part) => this.#add(part, next))
          .reduceRight((second, first) => this.#put({ kind: "split", first, second }));
      case "group":
        return this.#save(2 * node.index, this.#add(node.node, this.#save(2 * node.index + 1, next)));
      case "repeat":
        return this.#repeat(node, next);
    }
  }

  #repeat({ node, min, max, isLazy }: Node & { readonly kind: "repeat" }, next: number): number {
    let entry = next;
    if (max === Infinity) {
      const loop = { kind: "split" as const, first: next, second: next };
      entry = this.#put(loop);
      const body = this.#add(node, entry);
      if (isLazy) loop.second = body;
      else loop.first = body;
    } else {
      for (let i = min; i < max; i++) {
        const body = this.#add(node, entry);
        entry = this.#put({ kind: "split", first: isLazy ? next : body, second: isLazy ? body : next });
      }
    }
    for (let i = 0; i < min; i++) entry = this.#add(node, entry);
    return entry;
  }

  #character(ascii: ReadonlySet<number>, takesOthers: boolean, next: number): number {
    const codes = new Set([...ascii].flatMap((code) => [...this.#caseSet(code)]));
    if (this.#charset === "latin1") return this.#byte(takesOthers ? [...codes, ...range(0x80, 0xff)] : codes, next);
    if (!takesOthers) return this.#byte(codes, next);
    // UTF-8 has characters of one to four bytes (RFC 3629 section 4).
    const tail = (count: number): number => (count === 0 ? next : this.#byte(range(0x80, 0xbf), tail(count - 1)));
    const ways = [
      this.#byte(codes, next),
      this.#byte(range(0xc2, 0xdf), tail(1)),
      this.#byte(range(0xe0, 0xef), tail(2)),
      this.#byte(range(0xf0, 0xf4), tail(3)),
    ];
    return ways.reduceRight((second, first) => this.#put({ kind: "split", first, second }));
  }

  #caseSet(byte: number): readonly number[] {
    const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    return this.#ignoreCase && isLetter ? [byte | 0x20, byte & ~0x20] : [byte];
  }

  #byte(codes: Iterable<number>, next: number): number {
    const bytes = new Uint8Array(256);
    for (const code of codes) bytes[code] = 1;
    return this.#put({ kind: "byte", bytes, next });
  }

  #save(slot: number, next: number): number {
    return this.#put({ kind: "save", slot, next });
  }

  #put(instruction: Instruction): number {
    if (this.instructions.length >= maxInstructions)
      throw new PatternError("it is too large: its repeats are written out one by one");
    return this.instructions.push(instruction) - 1;
  }
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function firstBytesOf(instructions: readonly Instruction[]): Uint8Array {
  const first = new Uint8Array(256);
  const seen = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const instruction = instructions[at];
    if (instruction === undefined || seen.has(at)) continue;
    seen.add(at);
    if (instruction.kind === "match") throw new PatternError("it matches nothing at all, everywhere");
    if (instruction.kind === "byte")
      for (const [byte, is] of instruction.bytes.entries()) first[byte] = (first[byte] ?? 0) | is;
    else if (instruction.kind === "save") open.push(instruction.next);
    else open.push(instruction.first, instruction.second);
  }
  return first;
}

/** The text that a single pattern begins with. */
function prefixOf(patterns: readonly Pattern[], charset: Charset): Buffer {
  const [pattern] = patterns;
  if (patterns.length !== 1 || pattern === undefined || pattern.ignoreCase || pattern.node.kind !== "sequence")
    return Buffer.alloc(0);
  let prefix = "";
  for (const node of pattern.node.nodes) {
    if (node.kind !== "text") break;
    prefix += node.text;
  }
  return Buffer.from(prefix, charset);
}
