// The engine's own answers: a status with the page that the configuration has for it, or with a line of text; nothing about what went
// wrong inside.

import { reasonPhrase } from "@hemi/common";
import type { Response } from "./response.ts";

type FieldValues = Readonly<Record<string, string>>;

/** Answers with a status, and with the file that `errorPages` names for it, or its reason phrase as text. What was set on the response before is forgotten. */
export function sendStatusPage(resp: Response, status: number, fields: FieldValues = {}): void {
  begin(resp, status, fields);
  const file = resp.errorPages?.get(String(status));
  if (file === undefined) return sendPlain(resp, status);
  resp
    .sendFile(file)
    .catch(() => {
      if (resp.isHeadSent) return;
      begin(resp, status, fields);
      sendPlain(resp, status);
    })
    // A reviser looks at the head of this page, too, and may throw, with nobody above.
    .catch((error: unknown) => resp.fail(error));
}

function begin(resp: Response, status: number, fields: FieldValues): void {
  resp.reset();
  resp.status = status;
  for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
}

function sendPlain(resp: Response, status: number): void {
  resp.send(`${status} ${reasonPhrase(status)}`.trimEnd() + "\n");
}
