// Where packets are made before they are sent. The system takes most of them at once: then the same bytes are used for
// the next one, and nothing is copied.

export class PacketBuffer {
  readonly #size: number;
  #bytes: Buffer;
  /** The first bytes of `#bytes`, by their number: responses of one kind have packets of few sizes. */
  #views: (Buffer | undefined)[] = [];

  /** `size` in bytes: that of the largest packet. */
  constructor(size: number) {
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** All of it, to write a packet into. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The first bytes: a packet that has been written. */
  first(size: number): Buffer {
    return (this.#views[size] ??= this.#bytes.subarray(0, size));
  }

  /** A packet is still to be sent, and keeps its bytes: the next one gets others. */
  leave(): void {
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    this.#views = [];
  }
}
