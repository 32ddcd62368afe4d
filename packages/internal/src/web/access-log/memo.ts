// Remembers what was made of texts that come again and again: hosts, paths, user agents.

import { flat } from "../flat.ts";

/** Most of what clients send was sent before, and to compare a text costs a tenth of looking at each character of it. */
export class Memo {
  readonly #make: (text: string) => string;
  readonly #texts: string[] = Array<string>(slots).fill("");
  readonly #made: string[];

  /** What `make` gives for a text is always the same. */
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

/** A power of two. A text takes the place of another one that falls on its slot. */
const slots = 256;
/** In characters: it bounds what peers can make us keep to some 200 KB, and what is longer hardly comes again. */
const maxRemembered = 400;
