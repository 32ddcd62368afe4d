// The engine's own responses: a status with the configured page, or a line of text. They contain nothing about internal
// errors.

import { reasonPhrase } from "@hemi/common";
import type { Request } from "../request/request.ts";
import type { Response } from "./response.ts";

type FieldValues = Readonly<Record<string, string>>;

/**
 * Answers with a status, and with what `errorPages` or `errorPaths` of the rule name for it, or its reason phrase as
 * text. What was set on the response before is forgotten.
 */
export function sendStatusPage(resp: Response, status: number, fields: FieldValues = {}): void {
  begin(resp, status, fields);
  const sent = sendPage(resp, status, fields);
  if (sent === undefined) return sendPlain(resp, status);
  sent
    .catch(() => {
      if (resp.isHeadSent) return;
      begin(resp, status, fields);
      sendPlain(resp, status);
    })
    // A reviser also inspects the head of this page, and may throw; there is no other caller.
    .catch((error: unknown) => resp.fail(error));
}

function begin(resp: Response, status: number, fields: FieldValues): void {
  resp.reset();
  resp.beginStatusPage();
  resp.status = status;
  for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
}

/** `undefined`: the configuration has no page. */
function sendPage(resp: Response, status: number, fields: FieldValues): Promise<void> | undefined {
  const page = resp.errorPages?.pageFor(status);
  if (page === undefined) return undefined;
  if ("file" in page) return resp.sendFile(page.file);
  const { req } = resp;
  // A page that has an error of its own could ask for pages without end.
  return req === undefined || req.depth > 0 ? undefined : sendFromInside(req, resp, page.path, fields);
}

/** With what the webapp has at the path. Rejects if that has no content, or cannot be had. */
async function sendFromInside(req: Request, resp: Response, path: string, fields: FieldValues): Promise<void> {
  const inside = await req.subrequest(path, { maxSize: Infinity, originalURI: req.originalURI });
  if ((inside.status >= 300 && inside.status < 400) || inside.status === 204) {
    await inside.content[Symbol.asyncIterator]().return?.();
    throw new Error(`${path} answers ${inside.status}, which is no page`);
  }
  for (const [name, value] of inside.headers) {
    if (!ofFile.has(name) && !Object.hasOwn(fields, name)) resp.addHeader(name, value);
  }
  if (inside.size !== undefined) resp.contentSize = inside.size;
  await resp.sendStream(inside.content);
}

/** What is said of the page as such is not true of the path that had the error. */
const ofFile: ReadonlySet<string> = new Set(["etag", "last-modified", "accept-ranges", "content-location"]);

function sendPlain(resp: Response, status: number): void {
  resp.send(`${status} ${reasonPhrase(status)}`.trimEnd() + "\n");
}
