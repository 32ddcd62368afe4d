// The open streams of a connection by their identifiers: a hash table with open addressing. No `Map`, because streams
// come and go all the time: see `Roster` for what a `Map` would leave to the garbage collection.

interface Identified {
  readonly id: number;
}

/** Has room for 8 at first: most connections have a few streams open at once. A power of 2. */
const leastSlots = 16;

export class StreamTable<Stream extends Identified> {
  /** Each stream stands in the first free slot from its home on. At most half of them are taken. */
  #slots: (Stream | undefined)[] = new Array<Stream | undefined>(leastSlots).fill(undefined);
  #size = 0;
  /** Whether a stream may stand behind its home. If none does, as with streams that follow each other, none moves. */
  #hasDisplaced = false;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** Takes the place of one with the same identifier. */
  add(stream: Stream): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    this.#put(stream);
  }

  /** Returns whether there was one. */
  delete(id: number): boolean {
    const slot = this.#slotOf(id);
    if (this.#slots[slot] === undefined) return false;
    this.#size--;
    if (this.#hasDisplaced) this.#vacate(slot);
    else this.#slots[slot] = undefined;
    if (this.#size === 0) this.#hasDisplaced = false;
    return true;
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#size = 0;
    this.#hasDisplaced = false;
  }

  /** Those that are open now, whichever begin or end meanwhile. In no order. */
  values(): Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  /** Those behind the slot move up, unless that would put them in front of their homes. */
  #vacate(free: number): void {
    const mask = this.#slots.length - 1;
    for (let at = (free + 1) & mask; ; at = (at + 1) & mask) {
      const stream = this.#slots[at];
      if (stream === undefined) break;
      const home = homeOf(stream.id, mask);
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      this.#slots[free] = stream;
      free = at;
    }
    this.#slots[free] = undefined;
  }

  #put(stream: Stream): void {
    const slot = this.#slotOf(stream.id);
    if (this.#slots[slot] === undefined) this.#size++;
    if (slot !== homeOf(stream.id, this.#slots.length - 1)) this.#hasDisplaced = true;
    this.#slots[slot] = stream;
  }

  /** Where the stream is, or would be. */
  #slotOf(id: number): number {
    const mask = this.#slots.length - 1;
    let slot = homeOf(id, mask);
    for (;;) {
      const stream = this.#slots[slot];
      if (stream === undefined || stream.id === id) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const streams = this.values();
    this.#slots = new Array<Stream | undefined>(2 * this.#slots.length).fill(undefined);
    this.#size = 0;
    this.#hasDisplaced = false;
    for (const stream of streams) this.#put(stream);
  }
}

/** The identifiers of one side are all odd, or all even. */
function homeOf(id: number, mask: number): number {
  return (id >>> 1) & mask;
}
