// What holds for the fields of requests and answers alike (RFC 9113 8.2).

import { ListedFields, type Fields } from "../http/fields.ts";
import type { DecodedBlock } from "./hpack/decoder.ts";

/** RFC 9113 8.2.2: what belongs to a connection of HTTP/1, and would frame messages anew behind a proxy. */
export const http1Fields: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
];

/** Why a message with one of them is malformed. */
export const holdsHttp1Field = "it holds a field that belongs to a connection of HTTP/1";

/** In bytes; `undefined`: it is no number of them. */
export function readContentLength(value: string): number | undefined {
  return /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}

/** The fields behind the content; `undefined`: they are malformed. */
export function readTrailers({ list, fault, isTooLarge }: DecodedBlock): Fields | undefined {
  if (fault !== undefined || isTooLarge) return undefined;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] ?? "";
    if (name.charCodeAt(0) === 0x3a /* : */ || http1Fields.includes(name)) return undefined;
  }
  return new ListedFields(list);
}
