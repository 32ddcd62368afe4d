// Copies an app's header fields to our response, and its content if it is complete.

import { isStatusWithContent, type Response } from "@hemi/internal";

/**
 * These fields frame the message, so the engine sets them. Apps set them out of habit, and their values are dropped,
 * except `content-length` (the announced size of the content) and `upgrade` (required in a 426).
 */
const framingNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Whether the engine frames the message with this field. `name` is in lower case. */
export function isFramingName(name: string): boolean {
  return framingNames.has(name);
}

/** In bytes; `undefined` for an invalid value. */
export function contentLengthOf(value: string | number | null | undefined): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const size = Number(value);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

/**
 * Sends head and content at once. Text is encoded as UTF-8. `announced` is the length that the app set: if it is wrong,
 * the response is aborted with HEMI_USAGE. The response to HEAD has that length, or none if the app set none.
 */
export function sendWhole(
  resp: Response,
  method: string,
  announced: number | undefined,
  content: string | Uint8Array | undefined,
): void {
  const bytes =
    typeof content === "string" && resp.header("content-type") === undefined ? Buffer.from(content) : content;
  if (method === "HEAD" && bytes === undefined) {
    if (announced !== undefined) resp.contentSize = announced;
    else resp.sendHead();
    return resp.end();
  }
  if (announced === undefined || announced === sizeOf(bytes) || !isStatusWithContent(resp.status))
    return resp.send(bytes);
  resp.contentSize = announced;
  if (bytes !== undefined) void resp.echo(bytes);
  resp.end();
}

function sizeOf(content: string | Uint8Array | undefined): number {
  if (content === undefined) return 0;
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}
