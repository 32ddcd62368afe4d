// Messages over TCP: each behind its length in two bytes (RFC 1035 4.2.2, RFC 7766 8).

/** Splits a stream into messages. Its memory is one message at most, 64 KiB, and what comes while none may be taken. */
export class FrameReader {
  readonly #took: (message: Buffer) => void;
  readonly #mayTake: () => boolean;
  #rest: Buffer = nothing;

  /** `took` gets each message; the bytes may be kept. `mayTake`: whether it takes another one now. */
  constructor(took: (message: Buffer) => void, mayTake: () => boolean = () => true) {
    this.#took = took;
    this.#mayTake = mayTake;
  }

  /** Whether a message has begun, and is not complete. */
  get isWithin(): boolean {
    return this.#rest.length > 0;
  }

  /** The bytes are copied. */
  add(bytes: Buffer): void {
    let all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (all.length >= 2 && this.#mayTake()) {
      const end = 2 + all.readUInt16BE(0);
      if (all.length < end) break;
      const message = Buffer.from(all.subarray(2, end));
      all = all.subarray(end);
      this.#took(message);
    }
    this.#rest = all.length === 0 ? nothing : Buffer.from(all);
  }

  /** Messages that have come may be taken again. */
  goOn(): void {
    if (this.#rest.length > 0) this.add(nothing);
  }
}

/** The message behind its length. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(message.length + 2);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}

const nothing: Buffer = Buffer.alloc(0);
