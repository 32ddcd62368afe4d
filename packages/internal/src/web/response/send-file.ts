// A file as a response, by its path.

import { isAbsolute } from "node:path";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import type { FileRegion } from "../../http/exchan.ts";
import { HTTPError } from "../http-error.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { EditableHead } from "./editable-head.ts";

/** A response that has not been sent. */
interface Unsent extends EditableHead {
  send(content: Uint8Array): void;
  sendRegion(region: FileRegion): Promise<void>;
}

/** See `sendFile` of a response. */
export async function sendFile(resp: Unsent, fcache: Fcache, path: string): Promise<void> {
  if (!isAbsolute(path)) throw new HemiError("HEMI_USAGE", `sendFile takes an absolute path, not ${path}`);
  const entry = fcache.peek(path) ?? (await fcache.open(path));
  if (entry.kind !== "file") {
    const status = entry.kind === "denied" ? 403 : entry.kind === "failed" ? 500 : 404;
    throw new HTTPError(status, `${path} is no file that can be read`);
  }
  if (resp.header("content-type") === undefined) {
    resp.setHeader("content-type", mediaTypeOf(path) ?? "application/octet-stream");
  }
  if (entry.content !== undefined) return resp.send(entry.content);
  entry.acquire();
  try {
    await resp.sendRegion({ fd: entry.fd, offset: 0, size: entry.size });
  } finally {
    entry.release();
  }
}
