// The engine's own answers: a status with a line of text, and nothing about what went wrong inside.

import { reasonPhrase } from "@hemi/common";
import type { Response } from "./response.ts";

/** Answers with a status and its reason phrase as text. What was set on the response before is forgotten. */
export function sendStatusPage(resp: Response, status: number, fields: Readonly<Record<string, string>> = {}): void {
  resp.reset();
  resp.status = status;
  for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
  resp.send(`${status} ${reasonPhrase(status)}`.trimEnd() + "\n");
}
