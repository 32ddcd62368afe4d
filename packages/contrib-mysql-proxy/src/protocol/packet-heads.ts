// Follows the packets of a server while their bytes are passed on: nothing but the beginning of each is looked at.

import { headSize, maxPayload } from "./packets.ts";

/**
 * The payload begins at `start` of `bytes`, of which at least `knownSize` are there, or all of them. `length`: of the
 * whole payload. The bytes are valid until it returns.
 */
export type HeadTaker = (bytes: Buffer, start: number, length: number) => void;

/** The number of bytes that tell everything: an OK packet up to its status. */
const knownSize = 32;

export class PacketHeads {
  readonly #took: HeadTaker;
  /** A head that has come in pieces. */
  readonly #scratch = Buffer.alloc(headSize + knownSize);
  #have = 0;
  /** How much of the payload is still to come. */
  #skip = 0;
  /** The next packet is the rest of this one's payload. */
  #goesOn = false;

  constructor(took: HeadTaker) {
    this.#took = took;
  }

  /** Whether the last packet is complete. */
  get isBetween(): boolean {
    return this.#have === 0 && this.#skip === 0 && !this.#goesOn;
  }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else if (this.#have === 0 && at + headSize + knownSize <= bytes.length) {
        const length = bytes.readUIntLE(at, 3);
        at += headSize;
        this.#skip = length;
        this.#packet(bytes, at, length);
      } else at = this.#collect(bytes, at);
    }
  }

  /** Returns where to go on. */
  #collect(bytes: Buffer, at: number): number {
    const scratch = this.#scratch;
    const wanted = this.#have < headSize ? headSize : headSize + this.#known;
    const taken = Math.min(wanted - this.#have, bytes.length - at);
    bytes.copy(scratch, this.#have, at, at + taken);
    this.#have += taken;
    if (this.#have >= headSize && this.#have === headSize + this.#known) {
      const length = scratch.readUIntLE(0, 3);
      this.#have = 0;
      this.#skip = length - Math.min(length, knownSize);
      this.#packet(scratch, headSize, length);
    }
    return at + taken;
  }

  get #known(): number {
    return Math.min(this.#scratch.readUIntLE(0, 3), knownSize);
  }

  #packet(bytes: Buffer, start: number, length: number): void {
    const isRest = this.#goesOn;
    this.#goesOn = length === maxPayload;
    if (!isRest) this.#took(bytes, start, length);
  }
}
