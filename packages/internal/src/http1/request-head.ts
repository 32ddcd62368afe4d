// Writes the heads of HTTP/1 requests (RFC 9112 sections 3 to 6).

import type { BackendRequest } from "../http/web-backend.ts";
import { type FieldNames, notInTrailers } from "../http/field-names.ts";
import type { Fields } from "../http/fields.ts";
import { FieldLines, withoutConnection } from "../http/field-lines.ts";
import { fieldLines } from "../http/response-head.ts";
import { flat } from "../log/lines/flat.ts";

/**
 * The whole head. What came by HTTP/1 is cut out of the received text; it was read strictly, so that it means the same
 * here. `lines`: more of it, with their line ends.
 */
export function encodeRequestHead(request: BackendRequest, lines = ""): string {
  const { method, target, received, contentSize } = request;
  const last = framingLine(method, contentSize) + lines;
  const fields = received instanceof FieldLines ? repeatedFields(received, request, last) : allFields(request, last);
  return `${method} ${target} HTTP/1.1\r\n` + fields;
}

/** Those that were made of the same fields the last time, if they would be the same. */
function repeatedFields(received: FieldLines, request: BackendRequest, last: string): string {
  const { remade } = received;
  if (remade instanceof RemadeFields && remade.isFor(request, last)) return remade.text;
  const made = new RemadeFields(request, last);
  received.remade = made;
  return made.text;
}

/** What the head of a request has behind its first line. */
class RemadeFields {
  readonly text: string;
  readonly #authority: string;
  readonly #dropped: FieldNames;
  readonly #added: readonly string[];
  readonly #last: string;

  constructor(request: BackendRequest, last: string) {
    this.text = flat(allFields(request, last));
    this.#authority = request.authority;
    this.#dropped = request.dropped;
    this.#added = request.added;
    this.#last = last;
  }

  isFor({ authority, dropped, added }: BackendRequest, last: string): boolean {
    return this.#added === added && this.#dropped === dropped && this.#authority === authority && this.#last === last;
  }
}

function allFields({ authority, received, dropped, added }: BackendRequest, last: string): string {
  return `host: ${authority}\r\n` + linesOf(received, dropped) + fieldLines(added) + last + "\r\n";
}

/** Fields behind chunked content, without those that a receiver might take for fields of the head (RFC 9110 6.5.1). */
export function trailerLines(trailers: Fields): string {
  return trailers.count === 0 ? "" : linesOf(trailers, notInTrailers);
}

function linesOf(fields: Fields, dropped: FieldNames): string {
  if (fields instanceof FieldLines) return fields.linesWithout(withoutConnection(fields, dropped));
  let lines = "";
  const names = withoutConnection(fields, dropped);
  for (const [name, value] of fields) if (!names.has(name)) lines += `${name}: ${value}\r\n`;
  return lines;
}

function framingLine(method: string, contentSize: number | undefined): string {
  if (contentSize === undefined) return "transfer-encoding: chunked\r\n";
  if (contentSize > 0) return `content-length: ${contentSize}\r\n`;
  // Where content is what one expects, its absence is said (RFC 9110 8.6).
  return method === "POST" || method === "PUT" || method === "PATCH" ? "content-length: 0\r\n" : "";
}
