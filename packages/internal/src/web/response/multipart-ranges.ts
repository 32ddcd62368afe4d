// Several ranges of one representation as `multipart/byteranges` (RFC 9110 section 14.6).

import { randomBytes } from "node:crypto";
import { type ByteRange, contentRangeOf } from "./range.ts";

/** A multipart content, but for the ranges themselves. */
export interface MultipartRanges {
  /** For `content-type`. */
  readonly type: string;
  /** What stands before each range, in their order. */
  readonly heads: readonly Buffer[];
  /** What stands behind the last one. */
  readonly tail: Buffer;
  /** Of all together, the ranges included, in bytes. */
  readonly contentSize: number;
}

/** `type` and `size` are those of the representation that `ranges` are of. */
export function multipartRanges(ranges: readonly ByteRange[], type: string, size: number): MultipartRanges {
  // A new one each time: who could guess it might have put a file here whose content ends a part and begins another.
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
