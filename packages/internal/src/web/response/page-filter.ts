// Puts the page of a file in the place of the content that a handlet answers an error with.

import type { Fcache } from "../../fixtures/fcache.ts";
import { readRegion } from "../../http/file-region.ts";
import type { ContentFilter, PushPiece } from "../content/filter.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Response } from "./response.ts";

/** For the hook of an answer: gives its head what fits the page, and returns the filter that gives it the content. */
export function replaceWithPage(resp: Response, file: string, fcache: Fcache): ContentFilter {
  for (const name of fieldsOfContent) resp.removeHeader(name);
  resp.setHeader("content-type", mediaTypeOf(file) ?? "application/octet-stream");
  return new PageFilter(file, fcache);
}

/** What the handlet said of the content that nobody sees now. */
const fieldsOfContent = [
  "content-encoding",
  "content-language",
  "content-disposition",
  "content-range",
  "content-digest",
  "repr-digest",
  "accept-ranges",
  "etag",
  "last-modified",
];

class PageFilter implements ContentFilter {
  readonly #file: string;
  readonly #fcache: Fcache;

  constructor(file: string, fcache: Fcache) {
    this.#file = file;
    this.#fcache = fcache;
  }

  whole(): Uint8Array | undefined {
    const entry = this.#fcache.peek(this.#file);
    return entry?.kind === "file" ? entry.content : undefined;
  }

  push(): void {
    // It is dropped.
  }

  /** The head is on its way: a file that cannot be read is an answer without content. */
  async end(next: PushPiece): Promise<void> {
    const entry = await this.#fcache.open(this.#file);
    if (entry.kind !== "file") return;
    if (entry.content !== undefined) return next(entry.content);
    entry.acquire();
    try {
      for await (const piece of readRegion({ fd: entry.fd, offset: 0, size: entry.size })) await next(piece);
    } finally {
      entry.release();
    }
  }
}
