// A walk as readable text: aligned, in sections.

import { sectionsText, type WalkTextOptions } from "../../component/explain-text.ts";
import type { Walk } from "./explanation.ts";
import { walkSections } from "./walk-rows.ts";

/** Ends with a line end. Contains no control characters except those of `paint`. */
export function walkText(walk: Walk, options?: WalkTextOptions): string {
  const { method, url } = walk.request;
  return sectionsText(`${method} ${url}`, walkSections(walk), options);
}
