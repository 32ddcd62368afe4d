// Reads the head of an HTTP/1 response (RFC 9112 sections 2 to 6), as strictly as that of a request is read: what a
// proxy passes on must mean the same to everybody. Only white space before a colon is removed, which a request must not
// have.

import { reasonPhrase } from "@hemi/common";
import type { NodeResponseHead } from "../http/web-backend.ts";
import type { FieldNames } from "../http/field-names.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import type { Fields } from "../http/fields.ts";
import { COLON, CR, isTokenByte, isValueByte, LF, SP, TAB } from "../http/bytes.ts";
import { equalsIgnoringCase, FieldLines, readLength, withoutConnection } from "../http/field-lines.ts";
import { listMembers, maxListMembers } from "../http/list-members.ts";

/** In the place of a reason phrase: none can have a line end in it. */
const unread = "\n";

/** The head of an HTTP/1 response, lying in bytes of its own. */
export class Http1NodeResponseHead extends FieldLines implements NodeResponseHead {
  /** Its bytes, and maybe more behind them. */
  readonly bytes: Buffer;
  /** Where in them the content begins. */
  end = 0;
  version: "1.0" | "1.1" = "1.1";
  status = 0;
  /** Where the reason phrase lies in the bytes. */
  reasonStart = 0;
  reasonEnd = 0;
  contentSize: number | undefined;
  isChunked = false;
  wantsClose = false;
  wantsKeepAlive = false;
  /** Seconds that the node keeps an idle connection for, if it says so. */
  keepAliveTimeout: number | undefined;
  #reason: string | undefined = unread;
  /** Of which set of names `#list` is without. */
  #dropped: FieldNames | undefined;
  #list: readonly string[] = [];

  constructor(bytes: Buffer) {
    super();
    this.bytes = bytes;
  }

  /** Read once: the same head often comes again. */
  get reason(): string | undefined {
    if (this.#reason === unread) {
      const reason = this.bytes.toString("latin1", this.reasonStart, this.reasonEnd);
      this.#reason = reason === "" || reason === reasonPhrase(this.status) ? undefined : reason;
    }
    return this.#reason;
  }

  get fields(): Fields {
    return this;
  }

  get mayKeepAlive(): boolean {
    return !this.wantsClose && (this.version === "1.1" || this.wantsKeepAlive) && (this.keepAliveTimeout ?? 2) > 1;
  }

  /** Worked out once for each set of names: the same head often comes again. */
  fieldList(dropped: FieldNames): readonly string[] {
    if (this.#dropped !== dropped) {
      this.#list = this.listWithout(withoutConnection(this, dropped));
      this.#dropped = dropped;
    }
    return this.#list;
  }
}

/**
 * Reads a head that begins at `start`. Returns it, or why it is refused, or `undefined` while it is not complete: then
 * call again from the same start when there is more. The head keeps the bytes: they must stay as they are.
 */
export function readHttp1ResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): Http1NodeResponseHead | string | undefined {
  const incomplete = end - start >= limits.maxHeadSize ? "its head is larger than maxHeadSize allows" : undefined;
  // HTTP/1.x SP code [SP reason] CRLF
  let at = start;
  if (end - start < 13) return isStatusLineStart(bytes, start, end) ? undefined : badStatusLine;
  if (!isStatusLineStart(bytes, start, start + 13)) return badStatusLine;
  const head = new Http1NodeResponseHead(bytes);
  if (bytes[at + 7] === 0x30 /* 0 */) head.version = "1.0";
  head.status = Number(bytes.toString("latin1", at + 9, at + 12));
  if (head.status < 100) return "its status is not from 100 to 999";
  at += 12;
  if (bytes[at] === SP) at++;
  head.reasonStart = at;
  while (at < end && isValueByte[bytes[at] ?? 0] === 1) at++;
  head.reasonEnd = at;
  if (at + 1 >= end) return incomplete;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return badStatusLine;
  at += 2;

  // field lines, up to the empty one
  const { spans } = head;
  const framing: Framing = { lengths: 0, codings: 0, options: 0 };
  while (at < end) {
    if (bytes[at] === CR) {
      if (at + 1 >= end) break;
      if (bytes[at + 1] !== LF) return "a CR stands without its LF in its head";
      head.end = at + 2;
      head.text = bytes.toString("latin1", start, head.end);
      if (head.end - start > limits.maxHeadSize) return "its head is larger than maxHeadSize allows";
      return checkFraming(head, framing) ?? head;
    }
    const nameStart = at;
    while (at < end && isTokenByte[bytes[at] ?? 0] === 1) at++;
    const nameEnd = at;
    // What stands there is not passed on (RFC 9112 5.1).
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    if (at === end) break;
    if (bytes[at] !== COLON || nameEnd === nameStart) return "a field line of its head has no name, or a folded start";
    at++;
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    const valueStart = at;
    while (at < end && isValueByte[bytes[at] ?? 0] === 1) at++;
    if (at + 1 >= end) break;
    if (bytes[at] !== CR || bytes[at + 1] !== LF)
      return "a field value of its head holds a control byte, a NUL or a bare line end";
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
    at += 2;
    if (spans.length >= limits.maxFields * 4) return "its head has more field lines than maxFields allows";
    spans.push(nameStart - start, nameEnd - start, valueStart - start, valueEnd - start);
    const failure = noteField(head, framing, nameStart, nameEnd, valueStart, valueEnd);
    if (failure !== undefined) return failure;
  }
  return incomplete;
}

/** What was seen of the fields that tell how the message is framed. */
interface Framing {
  lengths: number;
  codings: number;
  /** Members of `connection`. */
  options: number;
}

const badStatusLine = "it does not begin with the status line of an HTTP/1 response";

/**
 * Are these bytes, at most 13 of them, the beginning of a status line? What is not is no HTTP, and need not be waited
 * for.
 */
function isStatusLineStart(bytes: Buffer, start: number, end: number): boolean {
  for (let i = 0; start + i < end; i++) {
    const byte = bytes[start + i] ?? 0;
    if (i < 7) {
      if (byte !== "HTTP/1.".charCodeAt(i)) return false;
    } else if (i === 8) {
      if (byte !== SP) return false;
    } else if (i === 12) {
      if (byte !== SP && byte !== CR) return false;
    } else if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

/** Takes note of a field if it says something of framing or connection; tells what is wrong with it. */
function noteField(
  head: Http1NodeResponseHead,
  framing: Framing,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): string | undefined {
  const { bytes } = head;
  switch (nameEnd - nameStart) {
    case 10:
      if (equalsIgnoringCase(bytes, nameStart, "connection")) {
        const options = listMembers(bytes.toString("latin1", valueStart, valueEnd).toLowerCase(), maxListMembers + 1);
        framing.options += options.length;
        if (framing.options > maxListMembers) return `its field connection names more than ${maxListMembers} options`;
        for (const option of options) {
          if (option === "close") head.wantsClose = true;
          else if (option === "keep-alive") head.wantsKeepAlive = true;
        }
      } else if (equalsIgnoringCase(bytes, nameStart, "keep-alive")) {
        const [, seconds] =
          /(?:^|[\s,])timeout=(\d{1,6})(?:$|[\s,])/i.exec(bytes.toString("latin1", valueStart, valueEnd)) ?? [];
        if (seconds !== undefined) head.keepAliveTimeout = Number(seconds);
      }
      return undefined;
    case 14:
      if (!equalsIgnoringCase(bytes, nameStart, "content-length")) return undefined;
      if (framing.lengths++ > 0) return "content-length stands twice in its head";
      head.contentSize = readLength(bytes, valueStart, valueEnd);
      return head.contentSize === undefined ? "its content-length is not a number of bytes" : undefined;
    case 17:
      if (!equalsIgnoringCase(bytes, nameStart, "transfer-encoding")) return undefined;
      framing.codings++;
      head.isChunked = bytes.toString("latin1", valueStart, valueEnd).toLowerCase() === "chunked";
      // Whatever else was coded on it would have to be undone here.
      return head.isChunked && framing.codings === 1 ? undefined : "its transfer-encoding is not chunked alone";
    default:
      return undefined;
  }
}

function checkFraming(head: Http1NodeResponseHead, { lengths, codings }: Framing): string | undefined {
  if (codings === 0) return undefined;
  if (lengths > 0) return "content-length and transfer-encoding stand together in its head";
  return head.version === "1.0" ? "transfer-encoding stands in its head, which is of HTTP/1.0" : undefined;
}
