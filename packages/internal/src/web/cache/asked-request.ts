// A request as somebody describes it, to find out its key. Nobody serves it.

import { HemiError } from "../../errors/hemi-error.ts";
import { parseAuthority } from "../../http/authority.ts";
import type { ExplainRequest } from "../explain/explanation.ts";
import { headOf } from "../explain/explain-server.ts";
import { readExplainRequest } from "../explain/read-request.ts";
import { normalizePath } from "../request/path.ts";
import { Request } from "../request/request.ts";
import { SilentWire } from "../wires/silent-wire.ts";

/** GET of a whole URL, from a client that is no trusted proxy. Throws HEMI_USAGE if no client could send it. */
export function askedRequest(url: string, headers: NonNullable<ExplainRequest["headers"]>): Request {
  const { asked, place } = readExplainRequest({ url, headers });
  const head = headOf(asked, place?.scheme ?? "http");
  const [path = ""] = head.target.split("?", 1);
  const normalized = normalizePath(path);
  if (typeof normalized === "string") throw new HemiError("HEMI_USAGE", `the path of ${url} is refused: ${normalized}`);
  const wire = new SilentWire(head, { address: asked.srcHost, port: 0 }, undefined);
  return new Request(wire, parseAuthority(head.authority), normalized);
}
