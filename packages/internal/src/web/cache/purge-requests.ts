// The method PURGE: clients that are trusted remove stored responses.

import type { Request } from "../request/request.ts";
import { urlOf } from "./cache-key.ts";
import type { PurgeSelector } from "./cacher.ts";
import { tagsIn } from "./judge.ts";

/** What a PURGE request selects: tags, or all below a path that ends with a star, or its URL. */
export function selectorsOf(req: Request): readonly PurgeSelector[] {
  const tags = req.header("cache-tag");
  if (tags !== undefined) return tagsIn(tags).map((tag) => ({ tag }));
  const url = urlOf(req);
  return [url.endsWith("*") ? { prefix: url.slice(0, -1) } : { url }];
}
