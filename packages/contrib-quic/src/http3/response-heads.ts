// The field sections of responses: status and fields, as QPACK writes them. The bytes of each are used again for the
// next one.

import { hasDate, isStatusWithContent, type ResponseHead } from "@hemi/internal";
import type { QpackEncoder } from "../qpack/encoder.ts";

export class ResponseHeads {
  readonly #encoder: QpackEncoder;
  readonly #date: () => string;

  /** `date`: the present, as the field `date` has it. */
  constructor(encoder: QpackEncoder, date: () => string) {
    this.#encoder = encoder;
    this.#date = date;
  }

  /** That of a response; `date` is added where it lacks one. `size`: what its `content-length` says. */
  encode(streamId: number, head: ResponseHead, size: number | undefined): Buffer {
    const { status, fieldList, neverIndexed } = head;
    const list = [":status", String(status)];
    if (!hasDate(fieldList)) list.push("date", this.#date());
    list.push(...fieldList);
    // The length of a 304 would be that of the content which it does not have: nothing, or the truth (RFC 9110 8.6).
    if (size !== undefined && isStatusWithContent(status)) list.push("content-length", String(size));
    return this.#encoder.encode(streamId, list, neverIndexed);
  }

  /** That of a 1xx response. */
  encodeInterim(streamId: number, status: number, fieldList: readonly string[]): Buffer {
    return this.#encoder.encode(streamId, [":status", String(status), ...fieldList]);
  }

  /** That of trailers. */
  encodeTrailers(streamId: number, fieldList: readonly string[]): Buffer {
    return this.#encoder.encode(streamId, fieldList);
  }
}
