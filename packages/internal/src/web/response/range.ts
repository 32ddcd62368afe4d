// The field `Range` of a request (RFC 9110 section 14).

/** A range of bytes in a representation; `size` is at least 1. */
export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

/** More ranges in one field are an attack: players and readers need fewer. */
export const defaultMaxRanges = 16;

/**
 * The satisfiable ranges of `field` in a representation of `size` bytes, in the requested order: not sorted and not
 * merged. "unsatisfiable" gives 416. `undefined`: the field is ignored and the complete content is sent, because it has
 * another unit, is malformed, has more than `maxRanges` ranges, has overlapping ranges, or the content is empty (as in
 * Go, because some clients always send `bytes=0-`). Without overlaps, the response is never larger than the complete
 * content and the heads of the parts: a small request cannot make the server send a large file many times (RFC 9110
 * section 14.2).
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
    // Recipients accept empty list elements (RFC 9110 section 5.6.1.2). The second run of spaces is inside the group:
    // two adjacent runs would take quadratic time.
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

/** The value of `Content-Range` in a 206; without a range, in a 416. */
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
