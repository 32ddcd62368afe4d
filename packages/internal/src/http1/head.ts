// Reads the head of an HTTP/1 request (RFC 9112 sections 2 to 6), strictly, in one pass over its bytes.
//
// The head keeps its text, and where each part lies in it. What could be read in two ways is refused: that is how
// requests are smuggled.

import type { HeadLimits } from "../http/head-limits.ts";
import type { RequestHead } from "../http/exchan.ts";
import { CR, encodeRawBytes, isTargetByte, isTokenByte, LF, SP } from "../http/bytes.ts";
import { listMembers } from "../http/list-members.ts";
import { BadHead, bareCR } from "./bad-head.ts";
import { type FieldsTerms, readRequestFields, RequestFields } from "./request-fields.ts";

/** Larger heads get 431, larger targets 414. */
export interface RequestHeadLimits extends HeadLimits {
  /** Of the request target, in bytes. */
  readonly maxTargetSize: number;
  /** May the target hold bytes above ASCII? Default: no. */
  readonly rawUTF8InTargets?: boolean;
}

/** The head of an HTTP/1 request. */
export class Http1RequestHead implements RequestHead, FieldsTerms {
  version: "1.0" | "1.1" = "1.1";
  method = "";
  scheme: "http" | "https" = "http";
  targetScheme: "http" | "https" | undefined;
  isForProxy = false;
  pathNeedsCare = false;
  /** The target holds bytes above ASCII, to be percent-encoded. */
  hasRawTarget = false;
  /** In bytes, without an empty line before it. */
  size = 0;
  /** Where it ended in the bytes that it was read from. */
  end = 0;
  /** Where path and query lie in the request line. */
  targetStart = 0;
  targetEnd = 0;
  /** Where the authority lies in it, if the target is in absolute or authority form. */
  authorityStart = 0;
  authorityEnd = 0;
  /** The request line. */
  line = "";
  fields = noRequestFields;
  // Decoded once.
  #target: string | undefined;

  get namesAuthority(): boolean {
    return this.authorityEnd > 0;
  }

  /** Of the target, else the field `host`. */
  get authority(): string {
    return this.namesAuthority ? this.line.substring(this.authorityStart, this.authorityEnd) : this.fields.host;
  }

  get target(): string {
    return (this.#target ??= this.#decodeTarget());
  }

  get contentSize(): number | undefined {
    return this.fields.contentSize;
  }

  get wantsKeepAlive(): boolean {
    return this.fields.wantsKeepAlive;
  }

  get wantsClose(): boolean {
    // What follows the answer to a CONNECT might be meant for a tunnel: it is never read as a request.
    return this.fields.wantsClose || this.method === "CONNECT";
  }

  get expectsContinue(): boolean {
    return this.fields.expectsContinue;
  }

  /** Whether it would still be read under these limits: they may have changed since. */
  fits({ maxHeadSize, maxTargetSize, maxFields, rawUTF8InTargets }: RequestHeadLimits): boolean {
    const targetSize = this.line.length - this.method.length - "  HTTP/1.1\r\n".length;
    if (this.size > maxHeadSize || targetSize > maxTargetSize || this.fields.count > maxFields) return false;
    return !this.hasRawTarget || rawUTF8InTargets === true;
  }

  #decodeTarget(): string {
    const received = this.line.substring(this.targetStart, this.targetEnd);
    const target = this.hasRawTarget ? encodeRawBytes(received) : received;
    if (target.length > 0 && target.charCodeAt(0) !== 0x3f /* ? */) return target;
    if (this.method === "CONNECT") return "";
    // In absolute form the path may be left out: http://a.example?q. With OPTIONS, if there is no query either, it is
    // how a proxy is asked for `*` (RFC 9112 3.2.2, 3.2.4).
    return this.method === "OPTIONS" && target === "" ? "*" : "/" + target;
  }

  get upgrades(): readonly string[] {
    const { fields } = this;
    // HTTP/1.0 does not have it (RFC 9110 7.8).
    if (!fields.wantsUpgrade || this.version === "1.0" || fields.contentSize !== 0) return noUpgrades;
    return listMembers(fields.getAll("upgrade").join(",").toLowerCase());
  }
}

/** Fields of a connection that were read before. */
export interface KnownFields {
  /** Those that stand in the bytes from `start` on, byte for byte, if their request line had the same terms. */
  findFields(bytes: Buffer, start: number, end: number, terms: FieldsTerms): RequestFields | undefined;
}

/**
 * Reads a head that begins at `start`. Returns it, or why it is refused, or `undefined` while it is not complete: then
 * call again from the same start when there is more. `known`: fields that need not be read again. Default: none.
 */
export function readHttp1RequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: RequestHeadLimits,
  known?: KnownFields,
): Http1RequestHead | BadHead | undefined {
  let at = start;
  // One empty line before a request is forgiven (RFC 9112 2.2): some clients end a POST's content with one too many.
  if (at < end && bytes[at] === CR) {
    if (at + 1 >= end) return undefined;
    if (bytes[at + 1] !== LF) return bareCR;
    at += 2;
  }
  const head = new Http1RequestHead();

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
  const badForm = readTargetForm(head, bytes, methodStart, targetStart, at);
  if (badForm !== undefined) return badForm;
  at++;

  // HTTP/1.x CRLF
  if (end - at < 10) return checkVersion(bytes, at, end) ?? tooLongOrIncomplete(start, end, limits);
  const badEnd = checkVersion(bytes, at, at + 10);
  if (badEnd !== undefined) return badEnd;
  // A higher minor version is spoken to as 1.1 (RFC 9110 2.5).
  if (bytes[at + 7] === 0x30 /* 0 */) head.version = "1.0";
  at += 10;
  head.line = bytes.toString("latin1", methodStart, at);

  // field lines, up to the empty one
  const fields = known?.findFields(bytes, at, end, head) ?? readRequestFields(bytes, at, end, head, limits);
  if (fields === undefined) return tooLongOrIncomplete(start, end, limits);
  if (fields instanceof BadHead) return fields;
  head.fields = fields;
  head.end = at + fields.size;
  head.size = head.end - methodStart;
  return head.end - start > limits.maxHeadSize ? headTooLarge : head;
}

/** Of a head that is being read. */
const noRequestFields = new RequestFields();
const maxMethodSize = 32;
const noUpgrades: readonly string[] = [];

const badMethod = new BadHead(400, "the method is not a token");
const badTarget = new BadHead(400, "the request target holds a byte that it may not hold, or is empty");
const rawTarget = new BadHead(400, "the request target holds a byte above ASCII as it is: see rawUTF8InTargets");
const badForm = new BadHead(400, "the request target has a form that this method does not take");
const fragmentInTarget = new BadHead(400, "the request target holds a fragment");
const badRequestLine = new BadHead(400, "the request line is malformed");
const badVersion = new BadHead(505, "the HTTP version is not 1.0 or 1.1");
const headTooLarge = new BadHead(431, "the head is larger than allowed");
const targetTooLong = new BadHead(414, "the request target is longer than allowed");

function tooLongOrIncomplete(start: number, end: number, limits: RequestHeadLimits): BadHead | undefined {
  return end - start >= limits.maxHeadSize ? headTooLarge : undefined;
}

/**
 * What is there of a request line's end, at most ten bytes, must be the beginning of a right one: its sender may take
 * it for a whole head.
 */
function checkVersion(bytes: Buffer, start: number, end: number): BadHead | undefined {
  const right = "HTTP/1.";
  for (let i = 0; start + i < end; i++) {
    const byte = bytes[start + i] ?? 0;
    if (i < right.length) {
      if (byte !== right.charCodeAt(i)) return i < 5 ? badRequestLine : badVersion;
    } else if (i === right.length) {
      if (byte < 0x30 || byte > 0x39) return badVersion;
    } else if (byte !== (i === 8 ? CR : LF)) return badRequestLine;
  }
  return undefined;
}

function decodeMethod(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54)
    return "GET";
  return bytes.toString("latin1", start, end);
}

/**
 * The four forms of RFC 9112 3.2: origin, absolute, authority (CONNECT only), asterisk (OPTIONS only). Notes where the
 * parts lie in the request line, which begins at `lineStart`.
 */
function readTargetForm(
  head: Http1RequestHead,
  bytes: Buffer,
  lineStart: number,
  start: number,
  end: number,
): BadHead | undefined {
  head.targetStart = start - lineStart;
  head.targetEnd = end - lineStart;
  if (head.method === "CONNECT") {
    head.authorityStart = head.targetStart;
    head.authorityEnd = head.targetStart = head.targetEnd;
    return bytes.toString("latin1", start, end).includes("/") ? badForm : undefined;
  }
  if (bytes[start] === 0x2f /* / */) return undefined;
  if (bytes[start] === 0x2a /* * */ && end === start + 1) return head.method === "OPTIONS" ? undefined : badForm;
  const scheme = /^(https?):\/\//i.exec(bytes.toString("latin1", start, Math.min(end, start + 8)));
  if (scheme?.[1] === undefined) return badForm;
  head.isForProxy = true;
  head.targetScheme = scheme[1].length === 5 ? "https" : "http";
  let at = start + scheme[0].length;
  head.authorityStart = at - lineStart;
  while (at < end && bytes[at] !== 0x2f && bytes[at] !== 0x3f) at++;
  head.authorityEnd = head.targetStart = at - lineStart;
  return head.authorityEnd === head.authorityStart ? badForm : undefined;
}
