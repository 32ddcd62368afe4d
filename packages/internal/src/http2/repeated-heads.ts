// The heads that came before on a connection, by the bytes that they came as. Who says the same again sends the same
// block, of a few indices; it means the same as long as the decoder's table has not changed.

interface Entry<Head> {
  readonly block: Uint8Array;
  readonly head: Head;
}

export class RepeatedHeads<Head> {
  #entries: (Entry<Head> | undefined)[] = [];
  /** Of the decoder's table that they were read with. */
  #generation = -1;

  find(bytes: Uint8Array, start: number, end: number, generation: number): Head | undefined {
    if (generation !== this.#generation) return undefined;
    const entry = this.#entries[placeOf(bytes, start, end)];
    if (entry === undefined) return undefined;
    const { block } = entry;
    if (block.length !== end - start) return undefined;
    for (let i = 0; i < block.length; i++) if (block[i] !== bytes[start + i]) return undefined;
    return entry.head;
  }

  /** `generation`: as it is after the block was read, and was before. */
  add(bytes: Uint8Array, start: number, end: number, generation: number, head: Head): void {
    if (end - start > maxBlock) return;
    if (generation !== this.#generation) this.#entries = [];
    this.#generation = generation;
    this.#entries[placeOf(bytes, start, end)] = { block: new Uint8Array(bytes.subarray(start, end)), head };
  }
}

/** In bytes. No prop: it only makes reading cheaper. */
const maxBlock = 256;

/** One of eight. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  return ((end - start) * 5 + (bytes[end - 1] ?? 0) + (bytes[start + 2] ?? 0) * 3) & 7;
}
