// The head of a part of a multipart form (RFC 7578 section 4): names and media type.

import { decodeExtended, decodeWords } from "./encoded-name.ts";

/** The description of a part. */
export interface PartHead {
  /** The name of the field. */
  readonly name: string;
  /** As the client sent it; `undefined`: the part is not a file. Never a path. */
  readonly fileName: string | undefined;
  /** In lower case, without parameters; "" if not sent. */
  readonly mediaType: string;
}

/** The fields of a part, by lower-case names; each byte is a character. */
export type PartFields = Readonly<Record<string, readonly string[] | undefined>>;

/** Returns the reason if the head is invalid. */
export function readPartHead(fields: PartFields): PartHead | string {
  const dispositions = fields["content-disposition"] ?? [];
  const [disposition] = dispositions;
  if (disposition === undefined || dispositions.length > 1) return "a part has no content-disposition, or two";
  const params = readDisposition(disposition);
  if (params === undefined) return "the content-disposition of a part is malformed";
  const name = params.get("name");
  if (name === undefined) return "a part has no name";
  const [type = ""] = fields["content-type"] ?? [];
  const mediaType = /^[^;\s]*/.exec(type.trim())?.[0].toLowerCase() ?? "";
  const fileName = fileNameIn(params);
  if (fileName === "malformed") return "the filename* of a part is malformed";
  return { name: decodeName(name), fileName: fileName?.text, mediaType };
}

/** `filename` takes precedence: RFC 7578 4.2 forbids `filename*`, which could contain a different name. */
function fileNameIn(params: ReadonlyMap<string, string>): { readonly text: string } | "malformed" | undefined {
  const plain = params.get("filename");
  if (plain !== undefined) return { text: decodeWords(decodeName(plain)) };
  const extended = params.get("filename*");
  if (extended === undefined) return undefined;
  const text = decodeExtended(extended);
  return text === undefined ? "malformed" : { text };
}

/** Parses `form-data; name="a"; filename="b.txt"`. `undefined` for anything ambiguous. */
function readDisposition(text: string): ReadonlyMap<string, string> | undefined {
  const type = /^form-data[\t ]*/i.exec(text);
  if (type === null) return undefined;
  const params = new Map<string, string>();
  let at = type[0].length;
  for (; at < text.length; at = param.lastIndex) {
    param.lastIndex = at;
    const [, name, token, quoted] = param.exec(text) ?? [];
    if (name === undefined || params.has(name.toLowerCase())) return undefined;
    // Browsers escape quotes with percent signs (see below), others with backslashes. A single backslash belongs to a
    // Windows path and is kept.
    params.set(name.toLowerCase(), token ?? quoted?.replaceAll(/\\(["\\])/g, "$1") ?? "");
  }
  return params;
}

const param = /;[\t ]*([!#$&+\-.^_`|~0-9A-Za-z*]+)[\t ]*=[\t ]*(?:([^"\s;]+)|"((?:[^"\\]|\\.)*)")[\t ]*/y;

/**
 * Bytes are UTF-8. Browsers escape these three characters in this way, and no other percent sign (the HTML standard,
 * "multipart/form-data encoding algorithm").
 */
function decodeName(text: string): string {
  return Buffer.from(text, "latin1")
    .toString("utf8")
    .replaceAll(/%(?:22|0D|0A)/gi, (triplet) => decodeURIComponent(triplet));
}
