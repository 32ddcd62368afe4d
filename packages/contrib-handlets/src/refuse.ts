// What checkers do: turn a request away, or let it through.

import { reasonPhrase } from "@hemi/common";
import type { Explanation, Response } from "@hemi/internal";

/** Answers with a status and its reason phrase as text. What was set on the response before is forgotten; what is hooked stays. */
export function refuse(resp: Response, status: number, fields: Readonly<Record<string, string>> = {}): true {
  resp.reset();
  resp.status = status;
  for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
  resp.send(`${status} ${reasonPhrase(status)}\n`);
  return true;
}

/** What a checker says of a request that it leaves to the next handlet or rule. */
export const letsThrough: Explanation = { takes: "no", text: "lets it through" };
