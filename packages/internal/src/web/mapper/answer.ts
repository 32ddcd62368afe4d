// What a mapped function returned becomes a response.

import type { Response } from "../response.ts";

/** Throws HEMI_HEAD_SENT where it has answered already, and HEMI_USAGE for what JSON cannot hold. */
export function sendAnswer(resp: Response, answer: unknown): void {
  if (answer === undefined) return;
  if (typeof answer === "string") {
    resp.send(answer);
  } else if (answer instanceof Uint8Array) {
    if (resp.header("content-type") === undefined) resp.setHeader("content-type", "application/octet-stream");
    resp.send(answer);
  } else {
    resp.sendJSON(answer);
  }
}
