// What static looks at in a request before it looks for a file.

import { likingOf, parseWeights } from "../accept.ts";

/** Whether a segment begins with a dot: `.env`, `.git/config`. */
export function isHidden(path: string): boolean {
  return path.includes("/.", path.startsWith("/.well-known/") ? 1 : 0);
}

/** Whether a client names `text/html` in its `Accept`, as browsers do when they open a page. */
export function isHTMLNamed(accept: string): boolean {
  const { weight, isNamed } = likingOf("text/html", parseWeights(accept));
  return isNamed && weight > 0;
}
