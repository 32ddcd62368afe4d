// Which streams closed lately, and by whom: a frame for one that we have reset may still have been on its way, and is passed over; one for a
// stream that the client has ended itself is a mistake of the client's (RFC 9113 5.1).

/** Streams by their identifiers; those that closed long ago are forgotten. */
export class ClosedStreams {
  /** Grows as it is needed: most connections close a few. */
  readonly #ids: number[] = [];
  #next = 0;

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % remembered;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}

/** No prop: more than streams are open at once, so that what was on its way finds its stream here. */
const remembered = 256;
