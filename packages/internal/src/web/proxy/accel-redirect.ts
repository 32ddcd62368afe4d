// X-Accel-Redirect: a backend says which path of the webapp the answer is to be taken from, such as a file that it lets
// only some clients have.

import { isStatusWithContent } from "../../http/content-rule.ts";
import type { NodeResponseHead } from "../../http/web-backend.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";

/**
 * Answers with what the webapp has at the path: ranges and conditions of the client are looked at there. Rejects as
 * `req.subrequest` does.
 */
export async function answerFromInside(
  req: Request,
  resp: Response,
  path: string,
  head: NodeResponseHead,
): Promise<void> {
  const inside = await req.subrequest(path, { maxSize: Infinity, isForClient: true });
  resp.status = inside.status;
  const list: string[] = [];
  for (const [name, value] of inside.headers) list.push(name, value);
  resp.setTrustedFields(list);
  // A page that says what is wrong has its own type, and may not be kept as long as the file.
  if (inside.status < 400) keepFields(resp, head);
  for (const cookie of head.fields.getAll("set-cookie")) resp.addHeader("set-cookie", cookie);
  if (!isStatusWithContent(inside.status)) return resp.end();
  if (inside.size !== undefined) resp.contentSize = inside.size;
  await resp.sendStream(inside.content);
}

/** What the backend knows better than the file's name does. */
function keepFields(resp: Response, { fields }: NodeResponseHead): void {
  for (const name of ["content-type", "content-disposition", "content-language", "cache-control", "expires"]) {
    const value = fields.get(name);
    if (value !== undefined) resp.setHeader(name, value);
  }
}
