// Collects text as bytes, in reused memory.

export class ByteGatherer {
  /** Of what is added from now on. */
  encoding: "latin1" | "utf8";
  #space: Buffer = nothing;
  #size = 0;

  constructor(encoding: "latin1" | "utf8") {
    this.encoding = encoding;
  }

  /** The collected bytes. They share the collector's memory: use them before `clear`. */
  get bytes(): Buffer {
    return this.#space.subarray(0, this.#size);
  }

  /** The size of the collected bytes. */
  get size(): number {
    return this.#size;
  }

  add(text: string): void {
    const size = this.#size + Buffer.byteLength(text, this.encoding);
    if (size > this.#space.length) this.#grow(size);
    this.#space.write(text, this.#size, this.encoding);
    this.#size = size;
  }

  /** Starts again. After an unusually large amount, the memory is released. */
  clear(): void {
    this.#size = 0;
    if (this.#space.length > maxKept) this.#space = nothing;
  }

  #grow(size: number): void {
    const space = Buffer.allocUnsafeSlow(Math.max(minSpace, size, this.#space.length * 2));
    this.bytes.copy(space);
    this.#space = space;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const minSpace = 4 * 1024;
/** In bytes. */
const maxKept = 1024 * 1024;
