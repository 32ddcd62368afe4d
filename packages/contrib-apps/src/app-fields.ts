// Header fields that an app sets, brought to our response, and its content where all of it is there at once.

import { isStatusWithContent, type Response } from "@hemi/internal";

/**
 * Frame the message, so that they are the engine's to set: apps name them out of habit, and what they say is dropped. But
 * for `content-length`, which is the app's word on how long its content will be, and `upgrade`, which a 426 must have.
 */
const framingNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** May an app set it? `name` in lower case. */
export function isFramingName(name: string): boolean {
  return framingNames.has(name);
}

/** In bytes; `undefined` where it is none that could be meant. */
export function contentLengthOf(value: string | number | null | undefined): number | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  const size = Number(value);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

/**
 * Sends head and content in one go. Text becomes UTF-8. `announced` is what the app said its length would be: where it is
 * not, the answer is broken off with HEMI_USAGE. The answer to HEAD has that length, or none if the app named none.
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
