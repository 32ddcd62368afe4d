// The paths of google.api.http: `/v1/{name=shelves/*/books/*}:archive`.
//
//   Template = "/" Segments [ ":" LITERAL ]      Segments = Segment { "/" Segment }
//   Segment  = "*" | "**" | LITERAL | Variable   Variable = "{" FieldPath [ "=" Segments ] "}"

import { RpcError } from "@hemi/common/rpc";

/** A parsed template. */
export interface PathTemplate {
  /** Literals, `*` for one segment, and `**` for any number, which is the last one. */
  readonly segments: readonly string[];
  readonly variables: readonly TemplateVariable[];
  /** What stands behind the colon; "" without one. */
  readonly verb: string;
}

/** A part of a path that becomes a field of the message. */
export interface TemplateVariable {
  /** `book.name`. */
  readonly fieldPath: string;
  /** Its first segment, and the one behind its last one. */
  readonly start: number;
  readonly end: number;
}

/** Throws Error for a text that is no template. */
export function parseTemplate(text: string): PathTemplate {
  if (text.length > maxSize) throw new Error(`the template of a path has more than ${maxSize} characters`);
  const [, path, verb = ""] = templateSyntax.exec(text) ?? [];
  if (path === undefined) throw new Error(`${text} is no template of a path`);
  const segments: string[] = [];
  const variables: TemplateVariable[] = [];
  // Not the slashes within braces.
  for (const part of path.split(/\/(?![^{]*\})/)) {
    const [, fieldPath, pattern = "*"] = variableSyntax.exec(part) ?? [];
    const start = segments.length;
    segments.push(...(fieldPath === undefined ? [part] : pattern.split("/")));
    if (fieldPath !== undefined) variables.push({ fieldPath, start, end: segments.length });
  }
  const wrong = segments.find((segment) => segment !== "*" && segment !== "**" && !literalSyntax.test(segment));
  if (wrong !== undefined) throw new Error(`${text} has the segment ${JSON.stringify(wrong)}, which is none`);
  if (segments.slice(0, -1).includes("**")) throw new Error(`${text} has ** before its end`);
  const names = variables.map(({ fieldPath }) => fieldPath);
  if (new Set(names).size < names.length) throw new Error(`${text} has a variable twice`);
  return { segments, variables, verb };
}

/**
 * The values of the variables in segments that match. A value of one segment is decoded; in one of several segments,
 * `%2F` stays as it is, because it is part of a segment. Throws RpcError `invalid_argument` for octets that are not
 * UTF-8.
 */
export function variableValues({ segments, variables }: PathTemplate, received: readonly string[]): readonly string[] {
  return variables.map(({ start, end }) => {
    const isSingle = end - start === 1 && segments[start] !== "**";
    if (isSingle) return decoded(received[start] ?? "");
    const isToTheEnd = segments[end - 1] === "**";
    const parts = received.slice(start, isToTheEnd ? undefined : end);
    return parts.map((part) => part.split(/(%2f)/i).map(decodedUnlessSlash).join("")).join("/");
  });
}

function decodedUnlessSlash(part: string): string {
  return /^%2f$/i.test(part) ? part : decoded(part);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RpcError("invalid_argument", "the path has octets that are not UTF-8");
  }
}

/** In characters. Not a prop: foreign servers tell of theirs, and it takes time with the square of it to read one. */
const maxSize = 1000;
const templateSyntax = /^\/(.+?)(?::([^/:{}*]+))?$/s;
const variableSyntax = /^\{([a-z_]\w*(?:\.[a-z_]\w*)*)(?:=([^{}]+))?\}$/i;
const literalSyntax = /^[\w.~!$&'()+,;=@%-]+$/;
