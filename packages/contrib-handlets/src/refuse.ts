// What checkers do: turn a request away, or let it through.

import { type Explanation, type Response, sendStatusPage } from "@hemi/internal";

/**
 * Answers with a status, and with the page that `errorPages` of the rule has for it, or its reason phrase as text. What
 * was set on the response before is forgotten; what is hooked stays.
 */
export function refuse(resp: Response, status: number, fields: Readonly<Record<string, string>> = {}): true {
  sendStatusPage(resp, status, fields);
  return true;
}

/** What a checker says of a request that it leaves to the next handlet or rule. */
export const letsThrough: Explanation = { takes: "no", text: "lets it through" };
