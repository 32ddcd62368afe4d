// Which streams closed lately, and by whom: a frame for one that we have reset may still have been on its way, and is
// passed over; one for a stream that the client has ended itself is a mistake of the client's (RFC 9113 5.1).

/** Streams by their identifiers; those that closed long ago are forgotten. */
export class ClosedStreams {
  /** Grows as it is needed: most connections close a few. */
  readonly #ids: number[] = [];
  #held: Set<number> | undefined;
  #next = 0;
  readonly #maxStreams: () => number;

  /** `maxStreams`: how many may be open at once, looked at each time: live. */
  constructor(maxStreams: () => number) {
    this.#maxStreams = maxStreams;
  }

  /** Of this one more will come: it is not forgotten, until it is added. */
  hold(id: number): void {
    (this.#held ??= new Set()).add(id);
  }

  add(id: number): void {
    this.#held?.delete(id);
    if (this.#next >= Math.max(leastRemembered, 2 * this.#maxStreams())) this.#next = 0;
    this.#ids[this.#next++] = id;
  }

  has(id: number): boolean {
    return this.#ids.includes(id) || this.#held?.has(id) === true;
  }
}

/**
 * No prop: so many, or twice as many as are open at once if that is more, so that what was on its way finds its stream
 * here.
 */
const leastRemembered = 256;
