// A complete representation of a resource, such as a file or bytes in memory, and its response to GET and HEAD:
// validators, preconditions, ranges, caching fields.

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { formatHTTPDate } from "@hemi/common";
import type { FileEntry } from "../../fixtures/fcache-entry.ts";
import { mediaTypeOf } from "./media-type.ts";
import { type MultipartRanges, multipartRanges } from "./multipart-ranges.ts";
import { evaluatePreconditions, isRangeCurrent, type Validators } from "./preconditions.ts";
import { type ByteRange, contentRangeOf, defaultMaxRanges, parseRanges } from "./range.ts";
import type { Request } from "../request/request.ts";
import type { KnownContent } from "./editable-head.ts";
import type { Response } from "./response.ts";
import { fileSource, memorySource, type OpenSource, type Source } from "./source.ts";
import { sendStatusPage } from "./status-page.ts";

/** The data that all responses share, computed once. */
export interface Representation extends KnownContent {
  /** The bytes, or the file that contains them. */
  readonly source: Source;
  /** ETag and date, with which clients revalidate their copies. */
  readonly validators: Validators;
  /** The fields of a 200 or 206: lower-case names and values alternating. */
  readonly fields: readonly string[];
  /** The fields among them that a 304 also has (RFC 9110 section 15.4.5). */
  readonly fieldsOf304: readonly string[];
  /** Added to the `vary` of others, and therefore not among `fields`. */
  readonly vary: string | undefined;
  /** The maximum number of ranges in a request. */
  readonly maxRanges: number;
}

/** Options for sending a representation. */
export interface RepresentationOptions {
  /** How long a copy may be used without revalidation, in milliseconds: `cache-control: max-age`. Default: not sent. */
  readonly maxAge?: number | undefined;
  /** Adds `immutable` to `max-age` (RFC 8246): browsers do not revalidate even on a reload. */
  readonly immutable?: boolean;
  /** `cache-control: no-cache`: a copy is always revalidated. `maxAge` and `immutable` are then ignored. */
  readonly noCache?: boolean;
  /** The request fields that selected this representation, such as `Accept-Encoding`. */
  readonly vary?: string | undefined;
  /**
   * A `Range` with more ranges is ignored; 0: every range is ignored. Encoded content is sent with at most one range.
   * Default: 16.
   */
  readonly maxRanges?: number;
}

/** Options of a file representation. */
export interface FileOptions extends RepresentationOptions {
  /** The media type. Default: by the extension of the file's name. */
  readonly type?: string | undefined;
  /** The content coding of the file: `content-encoding`. It becomes part of the entity tag. */
  readonly coding?: string | undefined;
}

/** Options of content from another source. */
export interface SourceOptions extends RepresentationOptions {
  /** The media type. */
  readonly type: string;
  /** The content coding: `content-encoding`. Default: none. */
  readonly coding?: string | undefined;
  /** With its quotes, and `W/` if it is weak; different for each coding. */
  readonly etag: string;
  /** In seconds since the epoch. Default: not sent. */
  readonly lastModified?: number | undefined;
}

/** The representation of content from any source. */
export function representSource(source: Source, options: SourceOptions): Representation {
  const { type, coding, etag, lastModified } = options;
  return represent({ source, validators: { etag, lastModified }, type, coding }, options);
}

/** A file as a representation, with its type, validators and content coding. */
export function representFile(file: FileEntry, options: FileOptions = {}): Representation {
  const { type = mediaTypeOf(file.path) ?? "application/octet-stream", coding } = options;
  // Size and modification time with the precision of the file system: a strong validator, equal on all machines with
  // the same files. Two codings of one file could have equal values.
  const suffix = coding === undefined ? "" : `-${coding}`;
  const etag = `"${file.identity.mtimeNs.toString(36)}-${file.size.toString(36)}${suffix}"`;
  const lastModified = lastModifiedOf(file.mtimeMs);
  return represent({ source: fileSource(file), validators: { etag, lastModified }, type, coding }, options);
}

/**
 * In seconds since the epoch. A future time is replaced by the current one: a server must not send a date in the future
 * (RFC 9110 section 8.8.2.1). `undefined` before the year 1, which HTTP dates cannot express.
 */
function lastModifiedOf(mtimeMs: number): number | undefined {
  const seconds = Math.floor(Math.min(mtimeMs, Date.now()) / 1000);
  return seconds < firstSecond ? undefined : seconds;
}

/** Of the year 1. */
const firstSecond = -62_135_596_800;

/** `type` is the media type. */
export function representContent(
  content: Uint8Array,
  type: string,
  options: RepresentationOptions = {},
): Representation {
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  const validators = { etag, lastModified: undefined };
  return represent({ source: memorySource(content), validators, type, coding: undefined }, options);
}

/**
 * Responds to GET or HEAD with 200, 206, 304, 412 or 416. Synchronous for content in memory; otherwise it settles when
 * everything is sent. Call it in the turn in which the fcache returned the file.
 */
export function sendRepresentation(req: Request, resp: Response, representation: Representation): true | Promise<true> {
  const outcome = evaluatePreconditions(req.method, req.headers, representation.validators);
  if (outcome === 412) {
    sendStatusPage(resp, 412);
    return true;
  }
  if (outcome === 304) {
    resp.status = 304;
    resp.knownContent = representation;
    setFields(resp, representation, representation.fieldsOf304);
    resp.send();
    return true;
  }
  const ranges = rangesOf(req, representation);
  if (ranges === "unsatisfiable") {
    resp.status = 416;
    resp.setHeader("content-range", contentRangeOf(undefined, representation.size));
    resp.send("416 Range Not Satisfiable\n");
    return true;
  }
  setFields(resp, representation, representation.fields);
  if (ranges === undefined) {
    resp.knownContent = representation;
    return sendStretch(resp, representation, undefined);
  }
  resp.status = 206;
  const [range] = ranges;
  if (ranges.length > 1) return sendStretches(resp, representation, ranges);
  resp.setHeader("content-range", contentRangeOf(range, representation.size));
  return sendStretch(resp, representation, range);
}

/** The status that `sendRepresentation` would respond with. */
export function statusOf(req: Request, representation: Representation): 200 | 206 | 304 | 412 | 416 {
  const outcome = evaluatePreconditions(req.method, req.headers, representation.validators);
  if (outcome === 304 || outcome === 412) return outcome;
  const ranges = rangesOf(req, representation);
  if (ranges === "unsatisfiable") return 416;
  return ranges === undefined ? 200 : 206;
}

function setFields(resp: Response, { vary }: Representation, fields: readonly string[]): void {
  resp.setTrustedFields(fields);
  if (vary !== undefined) resp.addHeader("vary", vary);
}

/** The requested ranges, if they may be used. */
function rangesOf(
  req: Request,
  { size, type, coding, validators, maxRanges }: Representation,
): readonly ByteRange[] | "unsatisfiable" | undefined {
  // Range applies to GET only.
  const mayHaveRanges = req.method === "GET" && maxRanges > 0 && !req.mustBePlain(type);
  const field = mayHaveRanges ? req.header("range") : undefined;
  if (field === undefined || !isRangeCurrent(req.header("if-range"), validators)) return undefined;
  const ranges = parseRanges(field, size, maxRanges);
  // `content-encoding` would then apply to the multipart content, which is not encoded: no client could decode it.
  return coding !== undefined && Array.isArray(ranges) && ranges.length > 1 ? undefined : ranges;
}

function sendStretch(resp: Response, { source }: Representation, range: ByteRange | undefined): true | Promise<true> {
  const { content } = source;
  if (content === undefined) return sendOpened(resp, source, range ?? { offset: 0, size: source.size });
  resp.send(range === undefined ? content : content.subarray(range.offset, range.offset + range.size));
  return true;
}

async function sendOpened(resp: Response, source: Source, range: ByteRange): Promise<true> {
  using opened = source.open();
  const region = opened.regionOf?.(range);
  if (region !== undefined) await resp.sendRegion(region);
  else {
    resp.contentSize = range.size;
    await resp.sendStream(opened.read(range));
  }
  return true;
}

function sendStretches(
  resp: Response,
  { source, type, size }: Representation,
  ranges: readonly ByteRange[],
): true | Promise<true> {
  const multipart = multipartRanges(ranges, type, size);
  resp.setHeader("content-type", multipart.type);
  const { content } = source;
  if (content === undefined) return sendAllOpened(resp, source, ranges, multipart);
  const pieces = multipart.heads.flatMap((head, i) => {
    const { offset, size } = ranges[i] ?? { offset: 0, size: 0 };
    return [head, content.subarray(offset, offset + size)];
  });
  resp.send(Buffer.concat([...pieces, multipart.tail], multipart.contentSize));
  return true;
}

async function sendAllOpened(
  resp: Response,
  source: Source,
  ranges: readonly ByteRange[],
  { heads, tail, contentSize }: MultipartRanges,
): Promise<true> {
  using opened = source.open();
  resp.contentSize = contentSize;
  await resp.sendStream(pieces(opened));
  return true;

  async function* pieces(opened: OpenSource): AsyncGenerator<Uint8Array, void, void> {
    for (const [i, range] of ranges.entries()) {
      yield heads[i] ?? tail;
      yield* opened.read(range);
    }
    yield tail;
  }
}

/** A number that no other content of this process has. */
export function nextIdentity(): number {
  return identities++;
}

let identities = 0;

interface Known {
  readonly source: Source;
  readonly validators: Validators & { readonly etag: string };
  readonly type: string;
  readonly coding: string | undefined;
}

function represent(known: Known, options: RepresentationOptions): Representation {
  const { source, validators, type, coding } = known;
  const { size } = source;
  const { vary, maxRanges = defaultMaxRanges } = options;
  const fieldsOf304 = ["etag", validators.etag];
  if (validators.lastModified !== undefined) fieldsOf304.push("last-modified", formatHTTPDate(validators.lastModified));
  const caching = cacheControlOf(options);
  if (caching !== undefined) fieldsOf304.push("cache-control", caching);
  const fields = ["content-type", type, ...fieldsOf304, "accept-ranges", maxRanges > 0 ? "bytes" : "none"];
  if (coding !== undefined) fields.push("content-encoding", coding);
  return { identity: nextIdentity(), source, size, type, coding, validators, fields, fieldsOf304, vary, maxRanges };
}

function cacheControlOf({ maxAge, immutable = false, noCache = false }: RepresentationOptions): string | undefined {
  if (noCache) return "no-cache";
  if (maxAge === undefined) return undefined;
  return `max-age=${Math.floor(maxAge / 1000)}${immutable ? ", immutable" : ""}`;
}
