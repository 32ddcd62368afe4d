// For tests: what stands behind a cache and answers ranges, as a test sets it.

import type { Request } from "../web/request/request.ts";
import type { Response } from "../web/response/response.ts";

/** A backend that sends ranges of a text; a test changes what it sends. */
export function rangedBackend(text: string) {
  const backend = {
    text,
    etag: '"1"' as string | undefined,
    control: "max-age=60",
    cookie: undefined as string | undefined,
    /** What it was asked for: values of `range`. */
    asked: [] as string[],
    /** What it sends instead of the right value. */
    contentRange: undefined as string | undefined,
    takesRanges: true,
    /** Until then, it does not answer. */
    gate: undefined as Promise<void> | undefined,
    /** What else it says to HEAD, or instead. */
    head: {} as Readonly<Record<string, string>>,
    /** That of whole answers. */
    status: 200,
    /** How many bytes of a range are missing. */
    missing: 0,
    async handle(req: Request, resp: Response): Promise<boolean> {
      const range = req.header("range");
      backend.asked.push(range ?? "all");
      await backend.gate;
      resp.setHeader("cache-control", backend.control);
      if (backend.cookie !== undefined) resp.setHeader("set-cookie", backend.cookie);
      if (backend.etag !== undefined) resp.setHeader("etag", backend.etag);
      if (req.method === "HEAD") for (const [name, value] of Object.entries(backend.head)) resp.setHeader(name, value);
      if (req.header("if-none-match") === backend.etag && backend.etag !== undefined) {
        resp.status = 304;
        resp.send();
        return true;
      }
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
      if (first === undefined || last === undefined || !backend.takesRanges) {
        resp.status = backend.status;
        resp.send(backend.text);
        return true;
      }
      const size = backend.text.length;
      if (Number(first) >= size) {
        resp.status = 416;
        resp.setHeader("content-range", `bytes */${size}`);
        resp.send("too far");
        return true;
      }
      const end = Math.min(size, Number(last) + 1);
      resp.status = 206;
      resp.setHeader("content-range", backend.contentRange ?? `bytes ${first}-${end - 1}/${size}`);
      await resp.echo(backend.text.slice(Number(first), end - backend.missing));
      resp.end();
      return true;
    },
  };
  return backend;
}

/** Of 10,000 characters; no four of them at a multiple of four are those at another one. */
export const longText = Array.from({ length: 2500 }, (_, i) => String(i).padStart(4, "0")).join("");
