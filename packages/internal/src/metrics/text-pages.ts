// Gathers a long text as bytes, a page at a time: to join a text of megabytes in one go stops the event loop for long.

export class TextPages {
  #pieces: string[] = [];
  readonly #pages: Buffer[] = [];
  #size = 0;

  /** Adds pieces, which stand one behind the other. */
  add(...pieces: readonly string[]): void {
    this.#pieces.push(...pieces);
    if (this.#pieces.length >= maxPieces) this.#turnPage();
  }

  /** The whole text in UTF-8. Yields between the pages: see `finishInSlices` of @hemi/common. */
  *whole(): Generator<undefined, Buffer, undefined> {
    this.#turnPage();
    // Not of the pool of small buffers, which would live as long as this one.
    const whole = Buffer.allocUnsafeSlow(this.#size);
    let at = 0;
    for (const page of this.#pages) {
      at += page.copy(whole, at);
      yield undefined;
    }
    return whole;
  }

  #turnPage(): void {
    const page = Buffer.from(this.#pieces.join(""));
    this.#pages.push(page);
    this.#size += page.length;
    this.#pieces = [];
  }
}

/** Of one page: joining them takes less than a millisecond. */
const maxPieces = 2000;
