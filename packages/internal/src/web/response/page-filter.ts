// Puts an error page in the place of the content that a handlet answers an error with.

import type { Fcache } from "../../fixtures/fcache.ts";
import { readRegion } from "../../http/file-region.ts";
import type { ContentFilter, PushPiece } from "../content/filter.ts";
import type { Request } from "../request/request.ts";
import type { ErrorPage } from "./error-pages.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Response } from "./response.ts";

/**
 * For the hook of an answer: gives its head what fits the page, and returns the filter that gives it the content.
 * `undefined`: the answer stays, because it is for a page itself, which could ask for pages without end.
 */
export function replaceWithPage(
  req: Request,
  resp: Response,
  page: ErrorPage,
  fcache: Fcache,
): ContentFilter | undefined {
  if ("path" in page && req.depth > 0) return undefined;
  for (const name of fieldsOfContent) resp.removeHeader(name);
  resp.setHeader("content-type", typeOf(page));
  return "file" in page ? new FilePage(page.file, fcache) : new PathPage(req, page.path);
}

/** That of a path is not known when the head is sent: most likely a person is to read it. */
function typeOf(page: ErrorPage): string {
  if ("file" in page) return mediaTypeOf(page.file) ?? "application/octet-stream";
  const type = mediaTypeOf(page.path.replace(/\?.*$/s, ""));
  return type !== undefined && /^text\/|[/+](?:json|xml)$/.test(type) ? type : "text/html; charset=utf-8";
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

class FilePage implements ContentFilter {
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

class PathPage implements ContentFilter {
  readonly #req: Request;
  readonly #path: string;

  constructor(req: Request, path: string) {
    this.#req = req;
    this.#path = path;
  }

  push(): void {
    // It is dropped.
  }

  /** A redirect is no page: then there is no content. */
  async end(next: PushPiece): Promise<void> {
    const { originalURI } = this.#req;
    const { status, content } = await this.#req.subrequest(this.#path, { maxSize: Infinity, originalURI });
    const isPage = status < 300 || status >= 400;
    for await (const piece of content) if (isPage) await next(piece);
  }
}
