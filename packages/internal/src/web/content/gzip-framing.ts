// Parses the framing around the raw deflate of gzip (RFC 1952 2.2), for readers that ignore data after the end.
//
//  1f 8b 08 flags, 6 more | extra field, name, comment, CRC16, each if its flag is set | deflate | CRC32, size | the
//  next member, or garbage
//
// Node.js streams treat garbage as a broken member, and then lose the last decoded output.

import { crc32 } from "node:zlib";

export class GzipFraming {
  #state: "header" | "body" | "trailer" | "garbage" = "header";
  /** The start of a header or trailer. */
  #held: Buffer = noBytes;
  #members = 0;
  /** Of the decoded member. */
  #crc = 0;
  #size = 0;

  /** Whether deflate data comes next. */
  get isInBody(): boolean {
    return this.#state === "body";
  }

  /**
   * Skips framing at the start of the bytes and returns the rest: data of the body, or nothing. Throws an Error for
   * data that is not gzip.
   */
  skip(bytes: Uint8Array): Uint8Array {
    while (this.#state === "header" || this.#state === "trailer") {
      const held = Buffer.concat([this.#held, bytes]);
      this.#held = held;
      const size = this.#state === "header" ? this.#readHeader(held) : this.#readTrailer(held);
      if (size === undefined) return noBytes;
      this.#held = noBytes;
      bytes = held.subarray(size);
    }
    return this.#state === "body" ? bytes : noBytes;
  }

  /** Adds a decoded piece of the body. */
  add(decoded: Uint8Array): void {
    this.#crc = crc32(decoded, this.#crc);
    this.#size = (this.#size + decoded.length) >>> 0;
  }

  /** The deflate data has ended. */
  endBody(): void {
    this.#state = "trailer";
  }

  /** Whether the content may end here. */
  get isComplete(): boolean {
    return this.#members > 0 && (this.#state === "header" || this.#state === "garbage");
  }

  /** Returns its size when it is complete. */
  #readHeader(held: Buffer): number | undefined {
    if (!magic.subarray(0, held.length).equals(held.subarray(0, magic.length))) {
      if (this.#members === 0) throw new Error("it does not begin as gzip does");
      this.#state = "garbage";
      return undefined;
    }
    const size = headerSize(held);
    if (size === undefined) {
      if (held.length > maxHeader) throw new Error(`its header has more than ${maxHeader} bytes`);
      return undefined;
    }
    this.#state = "body";
    this.#crc = 0;
    this.#size = 0;
    return size;
  }

  #readTrailer(held: Buffer): number | undefined {
    if (held.length < 8) return undefined;
    if (held.readUInt32LE(0) !== this.#crc) throw new Error("incorrect data check");
    if (held.readUInt32LE(4) !== this.#size) throw new Error("incorrect length check");
    this.#members++;
    this.#state = "header";
    return 8;
  }
}

const noBytes = Buffer.alloc(0);
const magic = Buffer.from([0x1f, 0x8b, 8]);
/** In bytes. File names and comments are short; no one sends more. */
const maxHeader = 64 * 1024;

/** `undefined`: incomplete. */
function headerSize(held: Buffer): number | undefined {
  const flags = held[3];
  if (flags === undefined || held.length < 10) return undefined;
  let size = 10;
  if ((flags & 0x04) !== 0) {
    if (held.length < 12) return undefined;
    size += 2 + held.readUInt16LE(10);
  }
  // The name and the comment end with a zero byte.
  for (const flag of [0x08, 0x10]) {
    if ((flags & flag) === 0) continue;
    const end = held.indexOf(0, size);
    if (end < 0) return undefined;
    size = end + 1;
  }
  if ((flags & 0x02) !== 0) size += 2;
  return size <= held.length ? size : undefined;
}
