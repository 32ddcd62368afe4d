// Makes the head of an answer out of the fields of a header block (RFC 9113 section 8, RFC 9114 4.3), as strictly as
// that of a request is read: what a proxy passes on must mean the same to everybody.

import type { NodeResponseHead } from "../http/web-backend.ts";
import type { FieldNames } from "../http/field-names.ts";
import { ListedFields, type Fields } from "../http/fields.ts";
import type { DecodedBlock } from "./hpack/decoder.ts";
import { holdsHttp1Field, http1Fields, readContentLength } from "./message-fields.ts";
import { passedFields } from "./request-heads.ts";

/** The head of an answer, 1xx ones among them. Nothing changes in it: equal blocks of one connection share it. */
export class Http2NodeResponseHead implements NodeResponseHead {
  readonly status: number;
  readonly fields: Fields;
  readonly contentSize: number | undefined;
  /** Of which set of names `#list` is without. */
  #dropped: FieldNames | undefined;
  #list: readonly string[] = [];

  constructor(
    status: number,
    fieldList: readonly string[],
    contentSize: number | undefined,
    neverIndexed?: ReadonlySet<string>,
  ) {
    this.status = status;
    this.fields = new ListedFields(fieldList, neverIndexed);
    this.contentSize = contentSize;
  }

  /** Worked out once for each set of names: the same head often comes again. */
  fieldList(dropped: FieldNames): readonly string[] {
    if (this.#dropped !== dropped) {
      this.#list = passedFields(this.fields, dropped);
      this.#dropped = dropped;
    }
    return this.#list;
  }
}

/** Returns the head, or why it is refused. */
export function readHttp2ResponseHead({
  list,
  fault,
  isTooLarge,
  neverIndexed,
}: DecodedBlock): Http2NodeResponseHead | string {
  if (fault !== undefined) return fault;
  if (list[0] !== ":status") return "its head does not begin with a status";
  const status = /^[1-9]\d\d$/.test(list[1] ?? "") ? Number(list[1]) : 0;
  if (status === 0) return "its status is not from 100 to 999";
  // RFC 9113 8.6: there is nothing to switch to.
  if (status === 101) return "it switches protocols, which only HTTP/1 can";
  let contentSize: number | undefined;
  for (let i = 2; i < list.length; i += 2) {
    const name = list[i] ?? "";
    if (name.charCodeAt(0) === 0x3a /* : */) return "its head has a pseudo-field that no answer has, or has it twice";
    if (http1Fields.includes(name)) return holdsHttp1Field;
    if (name !== "content-length") continue;
    if (contentSize !== undefined) return "content-length stands twice in its head";
    contentSize = readContentLength(list[i + 1] ?? "");
    if (contentSize === undefined) return "its content-length is not a number of bytes";
  }
  // What is too large may lack any field that was left out.
  if (isTooLarge) return "its head is larger, or has more fields, than maxHeadSize and maxFields allow";
  return new Http2NodeResponseHead(status, list.slice(2), contentSize, neverIndexed);
}
