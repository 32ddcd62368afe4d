// Makes header blocks of responses. Most answers of a connection have the same head as one before it: it is kept as it
// was encoded, and good for as long as the encoder's table has not changed.

import { isStatusWithContent } from "../http/content-rule.ts";
import { hasDate } from "../http/response-head.ts";
import type { ResponseHead } from "../http/exchan.ts";
import { HeaderBlocks, roomFor } from "./header-blocks.ts";

/** A head that was encoded, with all that it was made of. */
interface Remembered {
  readonly status: number;
  readonly fieldList: readonly string[];
  readonly date: string;
  readonly size: number | undefined;
  readonly neverIndexed: ReadonlySet<string> | undefined;
  readonly generation: number;
  readonly block: Uint8Array;
}

export class ResponseHeads extends HeaderBlocks {
  #latest: Remembered | undefined;
  #earlier: Remembered | undefined;

  /** The block of a response. `size`: what its `content-length` says. Good until the next call of any connection. */
  encode(head: ResponseHead, date: string, size: number | undefined): Uint8Array {
    const latest = this.#latest;
    if (latest !== undefined && this.#isSame(latest, head, date, size)) return latest.block;
    const earlier = this.#earlier;
    if (earlier !== undefined && this.#isSame(earlier, head, date, size)) {
      this.#earlier = latest;
      this.#latest = earlier;
      return earlier.block;
    }
    const { status, fieldList, neverIndexed } = head;
    const { generation } = this.encoder;
    const bytes = roomFor(fieldList);
    let at = this.encoder.begin(bytes, 0, neverIndexed);
    at = this.encoder.write(":status", statusText(status), bytes, at);
    if (!hasDate(fieldList)) at = this.encoder.write("date", date, bytes, at);
    at = this.writeFields(fieldList, bytes, at);
    // The length of a 304 would be that of the content which it does not have: nothing, or the truth (RFC 9110 8.6).
    if (size !== undefined && isStatusWithContent(status))
      at = this.encoder.write("content-length", String(size), bytes, at);
    const block = bytes.subarray(0, at);
    // What added to the table will be shorter the next time.
    if (generation !== this.encoder.generation || at > maxRemembered) return block;
    this.#earlier = latest;
    this.#latest = {
      status,
      fieldList: fieldList.slice(),
      date,
      size,
      neverIndexed,
      generation,
      block: new Uint8Array(block),
    };
    return block;
  }

  /** The block of a 1xx response. Good until the next call of any connection. */
  encodeInterim(status: number, fieldList: readonly string[]): Uint8Array {
    const bytes = roomFor(fieldList);
    const at = this.encoder.write(":status", statusText(status), bytes, this.encoder.begin(bytes, 0));
    return bytes.subarray(0, this.writeFields(fieldList, bytes, at));
  }

  #isSame(
    known: Remembered,
    { status, fieldList, neverIndexed }: ResponseHead,
    date: string,
    size: number | undefined,
  ): boolean {
    const { length } = fieldList;
    if (
      known.status !== status ||
      known.size !== size ||
      known.fieldList.length !== length ||
      known.generation !== this.encoder.generation ||
      known.neverIndexed !== neverIndexed ||
      known.date !== date
    )
      return false;
    for (let i = 0; i < length; i++) if (known.fieldList[i] !== fieldList[i]) return false;
    return true;
  }
}

/** Blocks up to this are remembered, in bytes. No prop: it only makes encoding cheaper. */
const maxRemembered = 512;

function statusText(status: number): string {
  return (statusTexts[status] ??= String(status));
}

/** By status code; three digits, so that there are few. */
const statusTexts: string[] = [];
