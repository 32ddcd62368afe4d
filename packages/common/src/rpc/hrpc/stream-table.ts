// The open streams of one side of a session, by their numbers, which grow. Those of small calls come and go so fast
// that a `Map` would spend more time on its own order than on them.

/** Streams in a ring of places; those that last while the ring goes round stand in a map. */
export class StreamTable<Each extends { readonly id: number }> implements Iterable<Each> {
  readonly #ring: (Each | undefined)[] = Array.from({ length: ringSize }, () => undefined);
  readonly #lasting = new Map<number, Each>();
  #inRing = 0;

  get size(): number {
    return this.#inRing + this.#lasting.size;
  }

  get(id: number): Each | undefined {
    const found = this.#ring[placeOf(id)];
    return found?.id === id ? found : this.#lasting.get(id);
  }

  /** Its number is not that of another one. */
  add(stream: Each): void {
    const place = placeOf(stream.id);
    const former = this.#ring[place];
    if (former === undefined) this.#inRing++;
    else this.#lasting.set(former.id, former);
    this.#ring[place] = stream;
  }

  /** False: there is none. */
  delete(id: number): boolean {
    const place = placeOf(id);
    if (this.#ring[place]?.id !== id) return this.#lasting.delete(id);
    this.#ring[place] = undefined;
    this.#inRing--;
    return true;
  }

  /** Those that are open now: a copy, as what is done with them may end them. */
  [Symbol.iterator](): Iterator<Each> {
    return [...this.#lasting.values(), ...this.#ring.filter((each) => each !== undefined)].values();
  }
}

/** The numbers of one side are all odd, or all even. */
function placeOf(id: number): number {
  return (id >>> 1) % ringSize;
}

const ringSize = 128;
