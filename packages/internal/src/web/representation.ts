// A representation of a resource that is there as a whole, a file or bytes in memory, and its answer to GET and HEAD:
// validators, preconditions, single ranges, caching fields.

import { createHash } from "node:crypto";
import { formatHTTPDate } from "@hemi/common";
import type { FileEntry } from "../fixtures/fcache-entry.ts";
import { mediaTypeOf } from "./media-type.ts";
import { evaluatePreconditions, isRangeCurrent, type Validators } from "./preconditions.ts";
import { type ByteRange, contentRangeOf, parseRanges } from "./range.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendStatusPage } from "./status-page.ts";

/** All that is the same for each answer, worked out once. */
export interface Representation {
  readonly source: Source;
  /** In bytes. */
  readonly size: number;
  readonly validators: Validators;
  /** The fields of a 200 or 206, names in lower case and values in turn. */
  readonly fields: readonly string[];
  /** Those of them that a 304 has as well (RFC 9110 section 15.4.5). */
  readonly fieldsOf304: readonly string[];
}

/** Where the content is: in memory, or in a file that is held open. */
type Source =
  | { readonly content: Uint8Array; readonly file?: undefined }
  | { readonly file: FileEntry; readonly content?: undefined };

/** The media type follows from the extension of the file's name. `maxAge`, in milliseconds, makes a `cache-control`. */
export function representFile(file: FileEntry, maxAge?: number): Representation {
  // Size and time of change, as exact as the file system: a strong validator, and the same on all machines that have
  // the same files.
  const etag = `"${file.identity.mtimeNs.toString(36)}-${file.size.toString(36)}"`;
  const lastModified = Math.floor(file.mtimeMs / 1000);
  const type = mediaTypeOf(file.path) ?? "application/octet-stream";
  const source = file.content === undefined ? { file } : { content: file.content };
  return represent({ source, size: file.size, etag, lastModified, type, maxAge });
}

/** `type` is the media type. `maxAge`, in milliseconds, makes a `cache-control`. */
export function representContent(content: Uint8Array, type: string, maxAge?: number): Representation {
  const etag = `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
  return represent({ source: { content }, size: content.length, etag, lastModified: undefined, type, maxAge });
}

/**
 * Answers GET or HEAD, with 200, 206, 304, 412 or 416. Synchronous for content in memory; otherwise it settles when all
 * is sent, and is to be called in the turn in which the file was got from the fcache.
 */
export function sendRepresentation(req: Request, resp: Response, representation: Representation): true | Promise<true> {
  const outcome = evaluatePreconditions(req.method, req.headers, representation.validators);
  if (outcome === 412) {
    sendStatusPage(resp, 412);
    return true;
  }
  if (outcome === 304) {
    resp.status = 304;
    resp.setTrustedFields(representation.fieldsOf304);
    resp.send();
    return true;
  }
  const range = rangeOf(req, representation);
  if (range === "unsatisfiable") {
    resp.status = 416;
    resp.setHeader("content-range", contentRangeOf(undefined, representation.size));
    resp.send("416 Range Not Satisfiable\n");
    return true;
  }
  resp.setTrustedFields(representation.fields);
  if (range !== undefined) {
    resp.status = 206;
    resp.setHeader("content-range", contentRangeOf(range, representation.size));
  }
  const { source } = representation;
  if (source.content === undefined) return sendRegionOf(resp, source.file, range);
  resp.send(range === undefined ? source.content : source.content.subarray(range.offset, range.offset + range.size));
  return true;
}

/**
 * The one range that is asked for and to be followed. Several are answered with the whole, as RFC 9110 section 14.2
 * allows.
 */
function rangeOf(req: Request, { size, validators }: Representation): ByteRange | "unsatisfiable" | undefined {
  // Range means something for GET only.
  const field = req.method === "GET" ? req.header("range") : undefined;
  if (field === undefined || !isRangeCurrent(req.header("if-range"), validators)) return undefined;
  const ranges = parseRanges(field, size);
  if (ranges === undefined || ranges === "unsatisfiable") return ranges;
  return ranges.length === 1 ? ranges[0] : undefined;
}

async function sendRegionOf(resp: Response, file: FileEntry, range: ByteRange | undefined): Promise<true> {
  file.acquire();
  try {
    await resp.sendRegion({ fd: file.fd, ...(range ?? { offset: 0, size: file.size }) });
  } finally {
    file.release();
  }
  return true;
}

interface Known {
  readonly source: Source;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: number | undefined;
  readonly type: string;
  readonly maxAge: number | undefined;
}

function represent({ source, size, etag, lastModified, type, maxAge }: Known): Representation {
  const fieldsOf304 = ["etag", etag];
  if (lastModified !== undefined) fieldsOf304.push("last-modified", formatHTTPDate(lastModified));
  if (maxAge !== undefined) fieldsOf304.push("cache-control", `max-age=${Math.floor(maxAge / 1000)}`);
  const fields = ["content-type", type, ...fieldsOf304, "accept-ranges", "bytes"];
  return { source, size, validators: { etag, lastModified }, fields, fieldsOf304 };
}
