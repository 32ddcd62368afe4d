// The header fields of a (req, res) app's answer, from the forms in which `writeHead` takes them to our response.

import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Response as HemiResponse } from "@hemi/internal";
import { contentLengthOf, isFramingName } from "./app-fields.ts";
import { nodeError } from "./node-errors.ts";

/** An object, names and values in turn, or pairs of them. */
export type WrittenFields = OutgoingHttpHeaders | readonly OutgoingHttpHeader[];

/** Sets what `writeHead` was given over what was set before. */
export function setWrittenFields(res: ServerResponse, fields: WrittenFields): void {
  if (!isList(fields)) {
    for (const [name, value] of Object.entries(fields)) {
      if (name === "") continue;
      if (value === undefined) {
        throw nodeError("ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "undefined" for header "${name}"`, TypeError);
      }
      res.setHeader(name, value);
    }
    return;
  }
  const pairs = pairsOf(fields);
  for (const [name] of pairs) res.removeHeader(name);
  for (const [name, value] of pairs) res.appendHeader(name, typeof value === "number" ? String(value) : value);
}

/**
 * Brings the fields to our response, with the protocols that it may name. Gives the length of the content, if there is
 * a word on it.
 */
export function copyFields(res: ServerResponse, resp: HemiResponse): number | undefined {
  for (const name of res.getHeaderNames()) {
    const value = res.getHeader(name);
    if (value === undefined) continue;
    if (name === "upgrade") resp.upgrade = String(value);
    else if (isFramingName(name)) continue;
    else if (Array.isArray(value)) {
      resp.removeHeader(name);
      for (const one of value) resp.addHeader(name, one);
    } else resp.setHeader(name, value);
  }
  if (res.hasHeader("transfer-encoding")) return undefined;
  const length = res.getHeader("content-length");
  return contentLengthOf(Array.isArray(length) ? length[0] : length);
}

/** The one string of a field in an interim response. */
export function interimFields(fields: WrittenFields): Record<string, string> {
  const pairs = isList(fields) ? pairsOf(fields) : Object.entries(fields);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : String(value)]),
  );
}

function pairsOf(list: readonly OutgoingHttpHeader[]): [name: string, value: OutgoingHttpHeader][] {
  if (Array.isArray(list[0])) return list.map((pair) => [String(pairAt(pair, 0)), pairAt(pair, 1)]);
  if (list.length % 2 !== 0) {
    throw nodeError("ERR_INVALID_ARG_VALUE", "The argument 'headers' is invalid: a name lacks its value", TypeError);
  }
  return list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1] ?? ""]] : []));
}

function pairAt(pair: OutgoingHttpHeader, index: number): OutgoingHttpHeader {
  return Array.isArray(pair) ? (pair[index] ?? "") : "";
}

function isList(fields: WrittenFields): fields is readonly OutgoingHttpHeader[] {
  return Array.isArray(fields);
}
