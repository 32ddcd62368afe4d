// Answers a request with a file: validators, preconditions, single ranges, caching fields.

import { formatHTTPDate } from "@hemi/common";
import type { FileEntry } from "../fixtures/fcache-entry.ts";
import { mediaTypeOf } from "./media-type.ts";
import { evaluatePreconditions, isRangeCurrent, type Validators } from "./preconditions.ts";
import { type ByteRange, contentRangeOf, parseRanges } from "./range.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendStatusPage } from "./status-page.ts";

/** What every answer with a file says of it; worked out once for each file. */
export interface FileDescription {
  readonly file: FileEntry;
  readonly validators: Validators;
  /** The fields of a 200 or 206, names in lower case and values in turn. */
  readonly fields: readonly string[];
  /** Those of them that a 304 has as well (RFC 9110 section 15.4.5). */
  readonly fieldsOf304: readonly string[];
}

/** `maxAge`, in milliseconds, makes a `cache-control`; `name` has the extension that the media type follows from. */
export function describeFile(file: FileEntry, name: string, maxAge: number | undefined): FileDescription {
  // Size and time of change, as exact as the file system: a strong validator, the same on every machine that has the same files.
  const etag = `"${file.identity.mtimeNs.toString(36)}-${file.size.toString(36)}"`;
  const lastModified = Math.floor(file.mtimeMs / 1000);
  const fieldsOf304 = ["etag", etag, "last-modified", formatHTTPDate(lastModified)];
  if (maxAge !== undefined) fieldsOf304.push("cache-control", `max-age=${Math.floor(maxAge / 1000)}`);
  const type = mediaTypeOf(name) ?? "application/octet-stream";
  const fields = ["content-type", type, ...fieldsOf304, "accept-ranges", "bytes"];
  return { file, validators: { etag, lastModified }, fields, fieldsOf304 };
}

/** Answers GET or HEAD. Synchronous for a file whose content is in memory. Settles when all is sent. */
export function answerWithFile(req: Request, resp: Response, description: FileDescription): true | Promise<true> {
  const { file, validators, fields } = description;
  const outcome = evaluatePreconditions(req.method, req.headers, validators);
  if (outcome === 412) {
    sendStatusPage(resp, 412);
    return true;
  }
  if (outcome === 304) {
    resp.status = 304;
    resp.setTrustedFields(description.fieldsOf304);
    resp.send();
    return true;
  }
  const range = rangeOf(req, description);
  if (range === "unsatisfiable") {
    resp.status = 416;
    resp.setHeader("content-range", contentRangeOf(undefined, file.size));
    resp.send("416 Range Not Satisfiable\n");
    return true;
  }
  resp.setTrustedFields(fields);
  if (range !== undefined) {
    resp.status = 206;
    resp.setHeader("content-range", contentRangeOf(range, file.size));
  }
  if (file.content === undefined) return sendRegionOf(resp, file, range);
  resp.send(range === undefined ? file.content : file.content.subarray(range.offset, range.offset + range.size));
  return true;
}

/** The one range that is asked for and to be followed. Several are answered with the whole, as RFC 9110 section 14.2 allows. */
function rangeOf(req: Request, { file, validators }: FileDescription): ByteRange | "unsatisfiable" | undefined {
  // Range means something for GET only.
  const field = req.method === "GET" ? req.header("range") : undefined;
  if (field === undefined || !isRangeCurrent(req.header("if-range"), validators)) return undefined;
  const ranges = parseRanges(field, file.size);
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
