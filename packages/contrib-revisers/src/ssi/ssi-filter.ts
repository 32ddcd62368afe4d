// Finds the directives in a page that arrives in pieces, and passes on their results in order. All includes of one
// piece are fetched in parallel.

import { Buffer } from "node:buffer";
import { quietly } from "@hemi/common";
import type { ContentFilter, PushPiece } from "@hemi/internal";
import { encode, escapeMarkup, type TextForm } from "../text-form.ts";
import type { Outcome, Page } from "./page.ts";

/** Fetches what is included; `undefined` if that cannot be had. If it rejects, the page breaks off. */
export type FetchTarget = (target: string) => Promise<AsyncIterable<Uint8Array> | undefined>;

/** What is on its way. */
interface Inclusion {
  readonly included: Promise<AsyncIterable<Uint8Array> | undefined>;
  /** It is written as text into markup. */
  readonly isEscaped: boolean;
}

export interface SsiFilterOptions {
  readonly page: Page;
  readonly form: TextForm;
  readonly fetch: FetchTarget;
  /** Of a directive, in bytes. */
  readonly maxDirectiveSize: number;
  /** Is told of an inclusion that broke off. */
  readonly noteBroken: (error: unknown) => void;
}

const opening = Buffer.from("<!--#");
const closing = Buffer.from("-->");
/** As a directive's name may be written. */
const inclusion = /<!--#\s*include/i;
const noBytes = Buffer.alloc(0);

export class SsiFilter implements ContentFilter {
  readonly #options: SsiFilterOptions;
  /** Bytes that may be the beginning of a directive. */
  #held: Buffer = noBytes;

  constructor(options: SsiFilterOptions) {
    this.#options = options;
  }

  whole(content: Uint8Array): Uint8Array | undefined {
    const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString("latin1");
    // What it includes takes time.
    if (inclusion.test(text)) return undefined;
    const bytes = [...this.#read(content), this.#rest()].map((item) => (item instanceof Buffer ? item : noBytes));
    return Buffer.concat(bytes);
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    // What is included is fetched from when its directive was read: for all of them before the first is waited for.
    for (const item of this.#read(piece)) {
      if ("included" in item) await this.#include(item, next);
      else await next(item);
    }
  }

  async end(next: PushPiece): Promise<void> {
    const rest = this.#rest();
    if (rest.length > 0) await next(rest);
  }

  /** Reads on, up to what may become a directive with the next piece. */
  #read(piece: Uint8Array): readonly (Buffer | Inclusion)[] {
    const { page, form, maxDirectiveSize } = this.#options;
    const items: (Buffer | Inclusion)[] = [];
    const bytes =
      this.#held.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([this.#held, piece]);
    let at = 0;
    // The next closing; it is looked for again only when it has been passed, so that many openings without one cost no
    // more than their bytes.
    let end = 0;
    for (;;) {
      const begin = bytes.indexOf(opening, at);
      const textEnd = begin < 0 ? bytes.length - sizeOfOpeningAt(bytes, at) : begin;
      if (page.isShown && textEnd > at) items.push(bytes.subarray(at, textEnd));
      at = textEnd;
      if (begin < 0) break;
      if (end >= 0 && end < begin + opening.length) end = bytes.indexOf(closing, begin + opening.length);
      const size = (end < 0 ? bytes.length : end) - begin;
      if (size > maxDirectiveSize) {
        // It is none, and shown as text, so that whoever wrote it sees it.
        items.push(this.#bytesOf(page.errorText));
        at = begin + opening.length;
      } else if (end < 0) break;
      else {
        const directive = bytes.toString(form.charset, begin + opening.length, end);
        const item = this.#itemOf(page.run(directive));
        if ("included" in item || item.length > 0) items.push(item);
        at = end + closing.length;
      }
    }
    // In memory of its own: a slice would keep the whole piece.
    this.#held = Buffer.from(bytes.subarray(at));
    return items;
  }

  /** What is left at the end was no directive. */
  #rest(): Buffer {
    const { page } = this.#options;
    const rest = this.#held;
    this.#held = noBytes;
    if (!page.isShown) return noBytes;
    return rest.indexOf(opening) === 0 ? this.#bytesOf(page.errorText) : rest;
  }

  #itemOf(outcome: Outcome): Buffer | Inclusion {
    if (typeof outcome === "string") return this.#bytesOf(outcome);
    // Where the page breaks off before its turn comes, nobody waits for it.
    return { included: quietly(this.#options.fetch(outcome.target)), isEscaped: outcome.isEscaped };
  }

  async #include({ included, isEscaped }: Inclusion, next: PushPiece): Promise<void> {
    const { page, noteBroken } = this.#options;
    const content = await included;
    if (content === undefined) return next(this.#bytesOf(page.errorText));
    const pieces = content[Symbol.asyncIterator]();
    for (;;) {
      let read: IteratorResult<Uint8Array>;
      try {
        read = await pieces.next();
      } catch (error) {
        // What came of it has been handed on; the page goes on.
        noteBroken(error);
        return next(this.#bytesOf(page.errorText));
      }
      if (read.done === true) return;
      // Markup is ASCII, and its bytes are no part of other characters.
      await next(
        isEscaped ? Buffer.from(escapeMarkup(Buffer.from(read.value).toString("latin1")), "latin1") : read.value,
      );
    }
  }

  #bytesOf(text: string): Buffer {
    return encode(text, this.#options.form);
  }
}

/** How many of the last bytes are the beginning of an opening. */
function sizeOfOpeningAt(bytes: Buffer, from: number): number {
  for (let size = Math.min(opening.length - 1, bytes.length - from); size > 0; size--) {
    if (bytes.subarray(bytes.length - size).equals(opening.subarray(0, size))) return size;
  }
  return 0;
}
