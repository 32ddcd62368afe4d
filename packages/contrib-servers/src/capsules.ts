// Capsules: type, length, value, on a stream (RFC 9297 3.2); datagrams of UDP in them (RFC 9298 5).

/** Cuts a stream into capsules, and gives the datagrams in them. Other capsules are skipped. */
export class DatagramCapsules {
  readonly #received: (datagram: Buffer) => void;
  #bytes: Buffer = Buffer.alloc(0);
  /** How many bytes of a capsule of no interest are still to come. */
  #skipped = 0;

  constructor(received: (datagram: Buffer) => void) {
    this.#received = received;
  }

  /** False: a capsule is larger than any datagram. */
  push(piece: Buffer): boolean {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    while (this.#bytes.length > 0) {
      if (this.#skipped > 0) {
        const size = Math.min(this.#skipped, this.#bytes.length);
        this.#skipped -= size;
        this.#bytes = this.#bytes.subarray(size);
        continue;
      }
      const type = readVarint(this.#bytes, 0);
      const length = type && readVarint(this.#bytes, type.end);
      if (type === undefined || length === undefined) return true;
      if (type.value !== datagramType) {
        this.#bytes = this.#bytes.subarray(length.end);
        this.#skipped = length.value;
        continue;
      }
      if (length.value > maxCapsule) return false;
      const end = length.end + length.value;
      if (this.#bytes.length < end) return true;
      const context = readVarint(this.#bytes.subarray(0, end), length.end);
      // Other contexts are extensions that nobody has asked for.
      if (context?.value === 0) this.#received(this.#bytes.subarray(context.end, end));
      this.#bytes = this.#bytes.subarray(end);
    }
    return true;
  }
}

/** A datagram as a capsule. */
export function datagramCapsule(content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(datagramType), varint(content.length + 1), Buffer.of(0), content]);
}

/** A variable-length integer (RFC 9000 16); `undefined` if it is not complete. */
function readVarint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const size = 1 << (first >> 6);
  if (bytes.length < at + size) return undefined;
  let value = first & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return { value, end: at + size };
}

function varint(value: number): Buffer {
  if (value < 64) return Buffer.of(value);
  if (value < 16_384) return Buffer.of(0x40 | (value >> 8), value & 255);
  return Buffer.of(0x80 | (value >> 24), (value >> 16) & 255, (value >> 8) & 255, value & 255);
}

const datagramType = 0;
/** The largest datagram, with the id of its context. */
const maxCapsule = 65_536;
