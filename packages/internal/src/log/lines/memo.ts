// Caches the results for texts that recur: hosts, paths, user agents.

import { flat } from "./flat.ts";

/** Most texts that clients send are repeated, and comparing a text costs a tenth of inspecting each character. */
export class Memo {
  readonly #make: (text: string) => string;
  readonly #texts: string[] = Array<string>(slots).fill("");
  readonly #made: string[];

  /** `make` must always return the same result for a text. */
  constructor(make: (text: string) => string) {
    this.#make = (text) => flat(make(text));
    this.#made = Array<string>(slots).fill(this.#make(""));
  }

  get(text: string): string {
    const { length } = text;
    if (length > maxRemembered) return this.#make(text);
    // NaN, of a text without characters, counts as 0.
    const slot = (length * 7 + text.charCodeAt(length - 1) * 31 + text.charCodeAt(length >> 1)) & (slots - 1);
    if (this.#texts[slot] === text) return this.#made[slot] ?? "";
    this.#texts[slot] = text;
    return (this.#made[slot] = this.#make(text));
  }
}

/** A power of two. A text replaces another one with the same slot. */
const slots = 256;
/** In characters: limits the memory that peers can occupy to about 200 KB. Longer texts rarely recur. */
const maxRemembered = 400;
