// Reads the fields of an HTTP/1 request's head (RFC 9112 sections 5 and 6): their lines, and what they say of host,
// framing and connection.

import type { Buffer } from "node:buffer";
import { parseAuthority } from "../http/authority.ts";
import { COLON, CR, isTokenByte, isValueByte, LF, SP, TAB } from "../http/bytes.ts";
import { equalsIgnoringCase, FieldLines, readLength } from "../http/field-lines.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import { listMembers, maxListMembers } from "../http/list-members.ts";
import { flat } from "../log/lines/flat.ts";
import { BadHead, bareCR } from "./bad-head.ts";

/** What the request line says that decides how fields are read. */
export interface FieldsTerms {
  readonly version: "1.0" | "1.1";
  /** The target names an authority, which overrides the field `host` (RFC 9112 3.2.2). */
  readonly namesAuthority: boolean;
}

/** The fields of a request. Heads of one connection that differ in their request lines only may share them. */
export class RequestFields extends FieldLines {
  /** In bytes, with the empty line. */
  size = 0;
  /** Where in `spans` the field `host` stands; -1 without one. */
  hostAt = -1;
  /** In bytes; `undefined` for content in chunks. */
  contentSize: number | undefined = 0;
  wantsClose = false;
  wantsKeepAlive = false;
  /** `connection: upgrade`; what to is in the field `upgrade`. */
  wantsUpgrade = false;
  expectsContinue = false;
  #host: string | undefined;

  /** The field `host`; "" without one. Decoded once. */
  get host(): string {
    return (this.#host ??= this.hostAt < 0 ? "" : knownHost(this.valueAt(this.hostAt)));
  }
}

/** As a text of its own: who looks for one in a table that is cut out of a head pays a call into the runtime. */
function knownHost(host: string): string {
  const known = knownHosts.get(host);
  if (known !== undefined || host.length > maxKnownHost) return known ?? host;
  // Clients can fill this with any names: it starts anew when it is full.
  if (knownHosts.size >= maxKnownHosts) knownHosts.clear();
  const copy = flat(host);
  knownHosts.set(copy, copy);
  return copy;
}

const knownHosts = new Map<string, string>();
/** No prop: what is not among them costs what it did before. */
const maxKnownHosts = 100;
/** In bytes. */
const maxKnownHost = 255;

/**
 * Reads the fields that begin at `start`. Returns them, or why they are refused, or `undefined` while they are not
 * complete.
 */
export function readRequestFields(
  bytes: Buffer,
  start: number,
  end: number,
  terms: FieldsTerms,
  limits: HeadLimits,
): RequestFields | BadHead | undefined {
  const fields = new RequestFields();
  const { spans } = fields;
  const framing: Framing = { hosts: 0, lengths: 0, codings: 0, options: 0, failure: undefined };
  let at = start;
  while (at < end) {
    if (bytes[at] === CR) {
      if (at + 1 >= end) break;
      if (bytes[at + 1] !== LF) return bareCR;
      fields.size = at + 2 - start;
      fields.text = bytes.toString("latin1", start, at + 2);
      return checkFraming(fields, framing, terms);
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
    spans.push(nameStart - start, nameEnd - start, valueStart - start, valueEnd - start);
    noteField(fields, framing, terms, bytes, nameStart, nameEnd, valueStart, valueEnd);
    if (framing.failure !== undefined) return framing.failure;
  }
  return undefined;
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

const badFieldName = new BadHead(400, "a field line has no name, a folded start, or a space before its colon");
const badFieldValue = new BadHead(400, "a field value holds a control byte, a NUL or a bare LF");
const tooManyFields = new BadHead(431, "there are more field lines than allowed");
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

/** Takes note of a field if it says something of host, framing or connection. */
function noteField(
  fields: RequestFields,
  framing: Framing,
  terms: FieldsTerms,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): void {
  switch (nameEnd - nameStart) {
    case 4:
      if (!equalsIgnoringCase(bytes, nameStart, "host")) return;
      if (framing.hosts++ > 0) framing.failure = twoHosts;
      fields.hostAt = fields.spans.length - 4;
      if (terms.namesAuthority && parseAuthority(bytes.toString("latin1", valueStart, valueEnd)) === undefined) {
        framing.failure = badHost;
      }
      return;
    case 6:
      if (!equalsIgnoringCase(bytes, nameStart, "expect")) return;
      // HTTP/1.0 does not have it, and must not be answered as if it did (RFC 9110 10.1.1).
      if (terms.version === "1.0") return;
      if (bytes.toString("latin1", valueStart, valueEnd).toLowerCase() !== "100-continue")
        framing.failure = unknownExpectation;
      fields.expectsContinue = true;
      return;
    case 10:
      if (equalsIgnoringCase(bytes, nameStart, "connection"))
        noteConnection(fields, framing, bytes, valueStart, valueEnd);
      return;
    case 14:
      if (!equalsIgnoringCase(bytes, nameStart, "content-length")) return;
      if (framing.lengths++ > 0) framing.failure = twoLengths;
      fields.contentSize = readLength(bytes, valueStart, valueEnd);
      if (fields.contentSize === undefined) framing.failure = badLength;
      return;
    case 17:
      if (!equalsIgnoringCase(bytes, nameStart, "transfer-encoding")) return;
      if (framing.codings++ > 0) framing.failure = chunkedNotLast;
      else framing.failure = checkCodings(bytes.toString("latin1", valueStart, valueEnd));
  }
}

function noteConnection(fields: RequestFields, framing: Framing, bytes: Buffer, start: number, end: number): void {
  if (end - start === 10 && equalsIgnoringCase(bytes, start, "keep-alive")) {
    fields.wantsKeepAlive = true;
    return;
  }
  const options = listMembers(bytes.toString("latin1", start, end).toLowerCase(), maxListMembers + 1);
  framing.options += options.length;
  if (framing.options > maxListMembers) framing.failure = tooManyOptions;
  for (const option of options) {
    if (option === "close") fields.wantsClose = true;
    else if (option === "keep-alive") fields.wantsKeepAlive = true;
    else if (option === "upgrade") fields.wantsUpgrade = true;
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

function checkFraming(fields: RequestFields, framing: Framing, terms: FieldsTerms): RequestFields | BadHead {
  const isNeeded = terms.version !== "1.0";
  if (isNeeded && (framing.hosts === 0 || (fields.host === "" && !terms.namesAuthority))) return noHost;
  if (framing.codings > 0) {
    if (framing.lengths > 0) return lengthAndCoding;
    if (terms.version === "1.0") return codingIn10;
    fields.contentSize = undefined;
  }
  return fields;
}
