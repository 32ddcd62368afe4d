// What stands around the raw deflate of gzip (RFC 1952 2.2), for who ignores what stands behind it.
//
//   1f 8b 08 flags, 6 more | extra field, name, comment, CRC16, each if its flag is set | deflate | CRC32, size | the next member, or garbage
//
// The streams of Node.js take garbage for a member that is broken, and then hand out nothing of what they decoded last.

import { crc32 } from "node:zlib";

export class GzipFraming {
  #state: "header" | "body" | "trailer" | "garbage" = "header";
  /** The beginning of a header or trailer. */
  #held: Buffer = noBytes;
  #members = 0;
  /** Of what the member decoded to. */
  #crc = 0;
  #size = 0;

  /** Whether what comes next is deflate. */
  get isInBody(): boolean {
    return this.#state === "body";
  }

  /** Takes framing from the beginning of the bytes and gives what is left: of the body, or nothing. Throws an Error for what is not gzip. */
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

  /** A piece of what the body decodes to. */
  add(decoded: Uint8Array): void {
    this.#crc = crc32(decoded, this.#crc);
    this.#size = (this.#size + decoded.length) >>> 0;
  }

  /** The end of the deflate has come. */
  endBody(): void {
    this.#state = "trailer";
  }

  /** Whether the content may end here. */
  get isComplete(): boolean {
    return this.#members > 0 && (this.#state === "header" || this.#state === "garbage");
  }

  /** Gives its size once it is complete. */
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
/** In bytes. Names and comments of files are short; nobody sends more. */
const maxHeader = 64 * 1024;

/** `undefined`: not all of it is there. */
function headerSize(held: Buffer): number | undefined {
  const flags = held[3];
  if (flags === undefined || held.length < 10) return undefined;
  let size = 10;
  if ((flags & 0x04) !== 0) {
    if (held.length < 12) return undefined;
    size += 2 + held.readUInt16LE(10);
  }
  // The name and the comment, which end with a zero byte.
  for (const flag of [0x08, 0x10]) {
    if ((flags & flag) === 0) continue;
    const end = held.indexOf(0, size);
    if (end < 0) return undefined;
    size = end + 1;
  }
  if ((flags & 0x02) !== 0) size += 2;
  return size <= held.length ? size : undefined;
}
