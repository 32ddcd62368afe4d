// Answers with which checkers turn a request away.

import { reasonPhrase } from "@hemi/common";
import type { Response } from "@hemi/internal";

/** Answers with a status and its reason phrase as text. What was set on the response before is forgotten; what is hooked stays. */
export function refuse(resp: Response, status: number, fields: Readonly<Record<string, string>> = {}): true {
  resp.reset();
  resp.status = status;
  for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
  resp.send(`${status} ${reasonPhrase(status)}\n`);
  return true;
}
