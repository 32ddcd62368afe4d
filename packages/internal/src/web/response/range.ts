// The field `Range` of a request (RFC 9110 section 14).

/** A stretch of a representation, in bytes; `size` is at least 1. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

/** More ranges than this in one field are no player's or reader's wish, but an attack. */
export const defaultMaxRanges = 16;

/**
 * The satisfiable ranges of `field` within a representation of `size` bytes, in the order asked for, as sent: not
 * sorted and not merged. "unsatisfiable" means 416. `undefined` means that the field is to be ignored and the whole is
 * sent: it has another unit, is malformed, has more than `maxRanges` ranges, two of them overlap, or there is nothing
 * to cut (as Go does, since some clients send `bytes=0-` always). Without an overlap, what is sent is never more than
 * the whole and the heads of the parts: one small request cannot make a large file go out many times (RFC 9110 section
 * 14.2).
 */
export function parseRanges(
  field: string,
  size: number,
  maxRanges = defaultMaxRanges,
): readonly ByteRange[] | "unsatisfiable" | undefined {
  if (size === 0 || !/^bytes=/i.test(field)) return undefined;
  const specs = field.slice("bytes=".length).split(",", maxRanges + 1);
  if (specs.length > maxRanges) return undefined;
  const ranges: ByteRange[] = [];
  let isEmpty = true;
  for (const spec of specs) {
    // A recipient accepts empty elements of a list (RFC 9110 section 5.6.1.2).
    // The second run of spaces only behind a range: two in a row could be split anywhere, which takes quadratic time.
    const parts = /^[ \t]*(?:(\d*)-(\d*)[ \t]*)?$/.exec(spec);
    if (parts === null) return undefined;
    const [, first, last] = parts;
    if (first === undefined || last === undefined) continue;
    isEmpty = false;
    if (first === "" && last === "") return undefined;
    if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
    const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
    const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
    if (offset < end) ranges.push({ offset, size: end - offset });
  }
  if (isEmpty || doOverlap(ranges)) return undefined;
  return ranges.length === 0 ? "unsatisfiable" : ranges;
}

/** The value of `Content-Range` in a 206; without a range, the one in a 416. */
export function contentRangeOf(range: ByteRange | undefined, size: number): string {
  return range === undefined ? `bytes */${size}` : `bytes ${range.offset}-${range.offset + range.size - 1}/${size}`;
}

function doOverlap(ranges: readonly ByteRange[]): boolean {
  if (ranges.length < 2) return false;
  let end = 0;
  for (const { offset, size } of ranges.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < end) return true;
    end = offset + size;
  }
  return false;
}
