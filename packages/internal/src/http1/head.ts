// Reads the head of an HTTP/1 request (RFC 9112 sections 2 to 6), strictly, in one pass over its bytes.
//
// Nothing is decoded here: the head keeps where each part lies in the input, and decodes its whole text once, when the
// first part is asked for. What could be read in two ways is refused: that is how requests are smuggled.

import type { HeadLimits } from "../http/head-limits.ts";
import { parseAuthority } from "../http/authority.ts";
import type { Fields } from "../http/fields.ts";
import type { RequestHead } from "../http/exchan.ts";
import { COLON, CR, encodeRawBytes, isTargetByte, isTokenByte, isValueByte, LF, SP, TAB } from "../http/bytes.ts";
import { equalsIgnoringCase, FieldLines, readLength } from "../http/field-lines.ts";
import { listMembers, maxListMembers } from "../http/list-members.ts";

/** Larger heads get 431, larger targets 414. */
export interface RequestHeadLimits extends HeadLimits {
  /** Of the request target, in bytes. */
  readonly maxTargetSize: number;
  /** May the target hold bytes above ASCII? Default: no. */
  readonly rawUTF8InTargets?: boolean;
}

/** Why a head is refused, and with which status. The connection is closed after it. */
export class BadHead {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

let heads = 0;

/** The head of an HTTP/1 request, lying in the bytes that it came in. */
export class Http1RequestHead extends FieldLines implements RequestHead {
  version: "1.0" | "1.1" = "1.1";
  method = "";
  /** The head of a connection's last request serves for those that are the same. */
  readonly number = heads++;
  scheme: "http" | "https" = "http";
  targetScheme: "http" | "https" | undefined;
  isForProxy = false;
  pathNeedsCare = false;
  /** The target holds bytes above ASCII, to be percent-encoded. */
  hasRawTarget = false;
  /** Where path and query lie. */
  targetStart = 0;
  targetEnd = 0;
  /** Where the authority lies: of the target in absolute or authority form, else of the field `host`. */
  authorityStart = 0;
  authorityEnd = 0;
  contentSize: number | undefined = 0;
  wantsClose = false;
  wantsKeepAlive = false;
  /** `connection: upgrade`; what to is in the field `upgrade`. */
  wantsUpgrade = false;
  expectsContinue = false;
  // Decoded once.
  #authority: string | undefined;
  #target: string | undefined;

  get fields(): Fields {
    return this;
  }

  get authority(): string {
    return (this.#authority ??= this.slice(this.authorityStart, this.authorityEnd));
  }

  get target(): string {
    return (this.#target ??= this.#decodeTarget());
  }

  #decodeTarget(): string {
    const received = this.slice(this.targetStart, this.targetEnd);
    const target = this.hasRawTarget ? encodeRawBytes(received) : received;
    if (target.length > 0 && target.charCodeAt(0) !== 0x3f /* ? */) return target;
    if (this.method === "CONNECT") return "";
    // In absolute form the path may be left out: http://a.example?q. With OPTIONS, if there is no query either, it is
    // how a proxy is asked for `*` (RFC 9112 3.2.2, 3.2.4).
    return this.method === "OPTIONS" && target === "" ? "*" : "/" + target;
  }

  get upgrades(): readonly string[] {
    // HTTP/1.0 does not have it (RFC 9110 7.8).
    if (!this.wantsUpgrade || this.version === "1.0" || this.contentSize !== 0) return noUpgrades;
    return listMembers(this.getAll("upgrade").join(",").toLowerCase());
  }
}

/**
 * Reads a head that begins at `start`. Returns it, or why it is refused, or `undefined` while it is not complete: then
 * call again from the same start when there is more.
 */
export function readHttp1RequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: RequestHeadLimits,
): Http1RequestHead | BadHead | undefined {
  let at = start;
  // One empty line before a request is forgiven (RFC 9112 2.2): some clients end a POST's content with one too many.
  if (at < end && bytes[at] === CR) {
    if (at + 1 >= end) return undefined;
    if (bytes[at + 1] !== LF) return bareCR;
    at += 2;
  }
  const head = new Http1RequestHead(bytes, at);

  // method SP
  const methodStart = at;
  while (at < end && isTokenByte[bytes[at] ?? 0] === 1) at++;
  if (at === end) return end - methodStart > maxMethodSize ? badMethod : undefined;
  if (bytes[at] !== SP || at === methodStart || at - methodStart > maxMethodSize) return badMethod;
  head.method = decodeMethod(bytes, methodStart, at);
  at++;

  // target SP
  const targetStart = at;
  let queryStart = 0;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (isTargetByte[byte] === 0) {
      if (byte < 0x80 || limits.rawUTF8InTargets !== true) break;
      head.hasRawTarget = true;
      head.pathNeedsCare = true;
    }
    if (byte === 0x3f /* ? */ && queryStart === 0) queryStart = at;
    else if (byte === 0x23 /* # */) return fragmentInTarget;
    else if (queryStart === 0) {
      if (byte === 0x25 /* % */ || byte === 0x5c /* \ */) head.pathNeedsCare = true;
      else if ((byte === 0x2e /* . */ || byte === 0x2f) && bytes[at - 1] === 0x2f /* / */) head.pathNeedsCare = true;
    }
  }
  if (at - targetStart > limits.maxTargetSize) return targetTooLong;
  if (at === end) return tooLongOrIncomplete(start, end, limits);
  if (bytes[at] !== SP || at === targetStart) return (bytes[at] ?? 0) < 0x80 ? badTarget : rawTarget;
  const badForm = readTargetForm(head, targetStart, at);
  if (badForm !== undefined) return badForm;
  at++;

  // HTTP/1.x CRLF
  if (end - at < 10) return checkVersionStart(bytes, at, end) ?? tooLongOrIncomplete(start, end, limits);
  if (bytes.toString("latin1", at, at + 7) !== "HTTP/1.")
    return bytes.toString("latin1", at, at + 5) === "HTTP/" ? badVersion : badRequestLine;
  const minor = bytes[at + 7];
  // A higher minor version is spoken to as 1.1 (RFC 9110 2.5).
  if (minor === 0x30 /* 0 */) head.version = "1.0";
  else if (minor === undefined || minor < 0x31 || minor > 0x39) return badVersion;
  if (bytes[at + 8] !== CR || bytes[at + 9] !== LF) return badRequestLine;
  at += 10;

  // field lines, up to the empty one
  const { spans } = head;
  const framing: Framing = { hosts: 0, lengths: 0, codings: 0, options: 0, failure: undefined };
  while (at < end) {
    if (bytes[at] === CR) {
      if (at + 1 >= end) break;
      if (bytes[at + 1] !== LF) return bareCR;
      head.end = at + 2;
      if (head.end - start > limits.maxHeadSize) return headTooLarge;
      return checkFraming(head, framing);
    }
    const nameStart = at;
    while (at < end && isTokenByte[bytes[at] ?? 0] === 1) at++;
    if (at === end) break;
    if (bytes[at] !== COLON || at === nameStart) return badFieldName;
    const nameEnd = at++;
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    const valueStart = at;
    while (at < end && isValueByte[bytes[at] ?? 0] === 1) at++;
    if (at + 1 >= end) break;
    if (bytes[at] !== CR) return badFieldValue;
    if (bytes[at + 1] !== LF) return bareCR;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
    at += 2;
    if (spans.length >= limits.maxFields * 4) return tooManyFields;
    spans.push(nameStart, nameEnd, valueStart, valueEnd);
    noteField(head, framing, nameStart, nameEnd, valueStart, valueEnd);
    if (framing.failure !== undefined) return framing.failure;
  }
  return tooLongOrIncomplete(start, end, limits);
}

/** What was seen of the fields that tell how the message is framed. */
interface Framing {
  hosts: number;
  lengths: number;
  codings: number;
  /** Members of `connection`. */
  options: number;
  failure: BadHead | undefined;
}

const maxMethodSize = 32;
const noUpgrades: readonly string[] = [];

const badMethod = new BadHead(400, "the method is not a token");
const badTarget = new BadHead(400, "the request target holds a byte that it may not hold, or is empty");
const rawTarget = new BadHead(400, "the request target holds a byte above ASCII as it is: see rawUTF8InTargets");
const badForm = new BadHead(400, "the request target has a form that this method does not take");
const fragmentInTarget = new BadHead(400, "the request target holds a fragment");
const badRequestLine = new BadHead(400, "the request line is malformed");
const badVersion = new BadHead(505, "the HTTP version is not 1.0 or 1.1");
const bareCR = new BadHead(400, "a CR stands without its LF");
const badFieldName = new BadHead(400, "a field line has no name, a folded start, or a space before its colon");
const badFieldValue = new BadHead(400, "a field value holds a control byte, a NUL or a bare LF");
const tooManyFields = new BadHead(431, "there are more field lines than allowed");
const headTooLarge = new BadHead(431, "the head is larger than allowed");
const targetTooLong = new BadHead(414, "the request target is longer than allowed");
const noHost = new BadHead(400, "an HTTP/1.1 request needs the field host");
const badHost = new BadHead(400, "the field host is malformed");
const twoHosts = new BadHead(400, "the field host stands twice");
const twoLengths = new BadHead(400, "the field content-length stands twice");
const badLength = new BadHead(400, "content-length is not a number of bytes");
const lengthAndCoding = new BadHead(400, "content-length and transfer-encoding stand together");
const codingIn10 = new BadHead(400, "transfer-encoding stands in an HTTP/1.0 request");
const tooManyOptions = new BadHead(431, `the field connection names more than ${maxListMembers} options`);
const chunkedNotLast = new BadHead(400, "chunked is not the last transfer coding");
const unknownCoding = new BadHead(501, "the transfer coding is not known; only chunked is");
const unknownExpectation = new BadHead(417, "the expectation is not known; only 100-continue is");

function tooLongOrIncomplete(start: number, end: number, limits: RequestHeadLimits): BadHead | undefined {
  return end - start >= limits.maxHeadSize ? headTooLarge : undefined;
}

/**
 * What is there of a request line's end must be the beginning of a right one: its sender may take it for a whole head.
 */
function checkVersionStart(bytes: Buffer, start: number, end: number): BadHead | undefined {
  const right = "HTTP/1.";
  for (let i = 0; start + i < end; i++) {
    const byte = bytes[start + i] ?? 0;
    if (i < right.length) {
      if (byte !== right.charCodeAt(i)) return i < 5 ? badRequestLine : badVersion;
    } else if (i === right.length) {
      if (byte < 0x30 || byte > 0x39) return badVersion;
    } else if (byte !== CR) return badRequestLine;
  }
  return undefined;
}

function decodeMethod(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54)
    return "GET";
  return bytes.toString("latin1", start, end);
}

/** The four forms of RFC 9112 3.2: origin, absolute, authority (CONNECT only), asterisk (OPTIONS only). */
function readTargetForm(head: Http1RequestHead, start: number, end: number): BadHead | undefined {
  const { bytes } = head;
  head.targetStart = start;
  head.targetEnd = end;
  if (head.method === "CONNECT") {
    head.authorityStart = start;
    head.authorityEnd = head.targetStart = end;
    // What follows the answer might be meant for a tunnel: it is never read as a request.
    head.wantsClose = true;
    return bytes.toString("latin1", start, end).includes("/") ? badForm : undefined;
  }
  if (bytes[start] === 0x2f /* / */) return undefined;
  if (bytes[start] === 0x2a /* * */ && end === start + 1) return head.method === "OPTIONS" ? undefined : badForm;
  const scheme = /^(https?):\/\//i.exec(bytes.toString("latin1", start, Math.min(end, start + 8)));
  if (scheme?.[1] === undefined) return badForm;
  head.isForProxy = true;
  head.targetScheme = scheme[1].length === 5 ? "https" : "http";
  let at = start + scheme[0].length;
  head.authorityStart = at;
  while (at < end && bytes[at] !== 0x2f && bytes[at] !== 0x3f) at++;
  head.authorityEnd = head.targetStart = at;
  return head.authorityEnd === head.authorityStart ? badForm : undefined;
}

/** Takes note of a field if it says something of host, framing or connection. */
function noteField(
  head: Http1RequestHead,
  framing: Framing,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): void {
  const { bytes } = head;
  switch (nameEnd - nameStart) {
    case 4:
      if (!equalsIgnoringCase(bytes, nameStart, "host")) return;
      if (framing.hosts++ > 0) framing.failure = twoHosts;
      // The authority of the target, where it has one, overrides the field (RFC 9112 3.2.2).
      if (head.authorityEnd === 0) {
        head.authorityStart = valueStart;
        head.authorityEnd = valueEnd;
      } else if (parseAuthority(bytes.toString("latin1", valueStart, valueEnd)) === undefined) {
        framing.failure = badHost;
      }
      return;
    case 6:
      if (!equalsIgnoringCase(bytes, nameStart, "expect")) return;
      // HTTP/1.0 does not have it, and must not be answered as if it did (RFC 9110 10.1.1).
      if (head.version === "1.0") return;
      if (bytes.toString("latin1", valueStart, valueEnd).toLowerCase() !== "100-continue")
        framing.failure = unknownExpectation;
      head.expectsContinue = true;
      return;
    case 10:
      if (equalsIgnoringCase(bytes, nameStart, "connection")) noteConnection(head, framing, valueStart, valueEnd);
      return;
    case 14:
      if (!equalsIgnoringCase(bytes, nameStart, "content-length")) return;
      if (framing.lengths++ > 0) framing.failure = twoLengths;
      head.contentSize = readLength(bytes, valueStart, valueEnd);
      if (head.contentSize === undefined) framing.failure = badLength;
      return;
    case 17:
      if (!equalsIgnoringCase(bytes, nameStart, "transfer-encoding")) return;
      if (framing.codings++ > 0) framing.failure = chunkedNotLast;
      else framing.failure = checkCodings(bytes.toString("latin1", valueStart, valueEnd));
  }
}

function noteConnection(head: Http1RequestHead, framing: Framing, start: number, end: number): void {
  if (end - start === 10 && equalsIgnoringCase(head.bytes, start, "keep-alive")) {
    head.wantsKeepAlive = true;
    return;
  }
  const options = listMembers(head.bytes.toString("latin1", start, end).toLowerCase(), maxListMembers + 1);
  framing.options += options.length;
  if (framing.options > maxListMembers) framing.failure = tooManyOptions;
  for (const option of options) {
    if (option === "close") head.wantsClose = true;
    else if (option === "keep-alive") head.wantsKeepAlive = true;
    else if (option === "upgrade") head.wantsUpgrade = true;
  }
}

function checkCodings(value: string): BadHead | undefined {
  const codings = value
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim());
  // Without chunked at the end, and there only, nobody knows where the content ends (RFC 9112 6.3).
  if (codings.indexOf("chunked") !== codings.length - 1) return chunkedNotLast;
  return codings.length === 1 ? undefined : unknownCoding;
}

function checkFraming(head: Http1RequestHead, framing: Framing): Http1RequestHead | BadHead {
  if (head.version !== "1.0" && (framing.hosts === 0 || head.authorityStart === head.authorityEnd)) return noHost;
  if (framing.codings > 0) {
    if (framing.lengths > 0) return lengthAndCoding;
    if (head.version === "1.0") return codingIn10;
    head.contentSize = undefined;
  }
  return head;
}
