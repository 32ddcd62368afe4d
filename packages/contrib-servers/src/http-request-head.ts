// The head of a request for a tunnel: HTTP/1.1, parsed strictly (RFC 9112).

import { BadInput, type SocketReader } from "./socket-reader.ts";

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** By their names in lower case; of several fields of one name, all values with commas between them. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Rejects with BadInput for anything that is not such a head within 8 KiB. */
export async function readRequestHead(reader: SocketReader): Promise<RequestHead> {
  const text = (await reader.until("\r\n\r\n", maxHead)).toString("latin1");
  const [line = "", ...lines] = text.split("\r\n");
  const [, method, target] = /^([!#$%&'*+.^_`|~\w-]+) ([\x21-\x7e]+) HTTP\/1\.1$/.exec(line) ?? [];
  if (method === undefined || target === undefined) throw new BadInput("no request line of HTTP/1.1");
  const fields = new Map<string, string>();
  for (const each of lines) {
    const [, name, value = ""] = field.exec(each) ?? [];
    if (name === undefined) throw new BadInput("a malformed field");
    const key = name.toLowerCase();
    const before = fields.get(key);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  // What follows the head belongs to the tunnel: content would be smuggled into it.
  if (fields.has("transfer-encoding") || (fields.get("content-length") ?? "0") !== "0") throw new BadInput("content");
  return { method, target, fields };
}

const maxHead = 8 * 1024;

/** White space stands between words of the value only, so that each run of it is looked at once, however long it is. */
const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\x00-\x20\x7f]+(?:[ \t]+[^\x00-\x20\x7f]+)*)?[ \t]*$/;
