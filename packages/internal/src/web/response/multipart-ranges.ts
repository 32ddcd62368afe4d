// Several ranges of one representation as `multipart/byteranges` (RFC 9110 section 14.6).

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { type ByteRange, contentRangeOf } from "./range.ts";

/** Multipart content, without the ranges themselves. */
export interface MultipartRanges {
  /** For `content-type`. */
  readonly type: string;
  /** The heads before each range, in order. */
  readonly heads: readonly Buffer[];
  /** The data after the last range. */
  readonly tail: Buffer;
  /** The total size in bytes, including the ranges. */
  readonly contentSize: number;
}

/** `type` and `size` are those of the whole representation. */
export function multipartRanges(ranges: readonly ByteRange[], type: string, size: number): MultipartRanges {
  // Random each time: someone who could predict it could upload a file whose content ends a part and begins another.
  const boundary = randomBytes(18).toString("base64url");
  const heads = ranges.map((range, i) =>
    Buffer.from(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\ncontent-type: ${type}\r\n` +
        `content-range: ${contentRangeOf(range, size)}\r\n\r\n`,
      "latin1",
    ),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`, "latin1");
  let contentSize = tail.length;
  for (const head of heads) contentSize += head.length;
  for (const range of ranges) contentSize += range.size;
  return { type: `multipart/byteranges; boundary=${boundary}`, heads, tail, contentSize };
}
