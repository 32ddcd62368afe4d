// The target of a rewrite: text with variables and with what the groups of a pattern matched.

import { compileTemplate, HTTPError, type Request, type Template, webVariables } from "@hemi/internal";

/** Makes the target of one request whose path matched: an encoded path with or without a query, or a URL. */
export type MakeTarget = (req: Request, match: RegExpExecArray) => string;

/** A stretch of a target. */
type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "variable"; readonly name: string }
  | { readonly type: "group"; readonly group: string };

/** Says what is wrong with a target; `undefined` if nothing is. */
export function faultOfTarget(target: Template, pattern: RegExp, isRedirect: boolean): string | undefined {
  const pieces = piecesOf(target);
  const { numbers, names } = groupsOf(pattern);
  for (const piece of pieces) {
    if (piece.type !== "group" || names.has(piece.group) || Number(piece.group) <= numbers) continue;
    return `the pattern has no group $${/^\d/.test(piece.group) ? piece.group : `<${piece.group}>`}`;
  }
  const outline = pieces.map(outlineOf).join("");
  if (/%(?![0-9A-Fa-f]{2})/.test(outline))
    return "a percent sign in it needs two hexadecimal digits behind it: it is encoded";
  if (!isRedirect && /[#\\]/.test(outline)) return "a path has no # and no backslash: write %23 and %5C";
  if (/^(?:\/(?!\/)|\u0002)/.test(outline)) return undefined;
  if (!isRedirect) return "it begins with a slash, or with $uri or $encodedPath: a request is rewritten to a path";
  if (/^(?:https?|\u0003):\/\/[^\u0001\u0002/?#]+(?:[/?#\u0002]|$)/.test(outline)) return undefined;
  return "it begins with one slash, or with http:// or https:// and a host that no client can choose: text, $hostname or $authority";
}

/** The target must have no fault. */
export function compileTarget(target: Template): MakeTarget {
  let isQuery = false;
  const makers = piecesOf(target).map((piece): MakeTarget => {
    if (piece.type === "text") {
      isQuery ||= piece.text.includes("?");
      const text = encodeText(piece.text);
      return () => text;
    }
    const encode = isQuery ? encodeURIComponent : undefined;
    if (piece.type === "group") {
      return (req, match) => {
        const text = (/^\d/.test(piece.group) ? match[Number(piece.group)] : match.groups?.[piece.group]) ?? "";
        return encode === undefined ? encodePath(text, req) : encode(text);
      };
    }
    const read = compileTemplate({ parts: [{ variable: piece.name }], constant: undefined }, webVariables);
    if (encodedVariables.has(piece.name)) return (req) => read(req);
    return (req) => (encode === undefined ? encodePath(read(req), req) : encode(read(req).toWellFormed()));
  });
  return (req, match) => makers.map((make) => make(req, match)).join("");
}

/** What is a part of a URI already. */
const encodedVariables: ReadonlySet<string> = new Set([
  "scheme",
  "authority",
  "hostname",
  "colonPort",
  "encodedPath",
  "uri",
  "originalURI",
  "queryString",
]);

function piecesOf({ parts }: Template): Piece[] {
  return parts.flatMap((part) =>
    typeof part === "string" ? textPieces(part) : [{ type: "variable", name: part.variable } as const],
  );
}

function textPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (const [, group, name, dollar, plain] of text.matchAll(/\$([1-9])|\$<([^>]+)>|(\$\$)|(\$|[^$]+)/g)) {
    const named = group ?? name;
    if (named !== undefined) pieces.push({ type: "group", group: named });
    else pieces.push({ type: "text", text: dollar === undefined ? (plain ?? "") : "$" });
  }
  return pieces;
}

/** The target with one character for each stretch that is not text: 1 for any value, 2 for a path, 3 for a scheme, 4 for a host. */
function outlineOf(piece: Piece): string {
  if (piece.type === "text") return piece.text;
  if (piece.type === "group") return "\u0001";
  if (["encodedPath", "uri", "originalURI"].includes(piece.name)) return "\u0002";
  if (piece.name === "scheme") return "\u0003";
  return ["hostname", "authority", "colonPort"].includes(piece.name) ? "\u0004" : "\u0001";
}

/** How many groups there are, and the names of those that have one. */
function groupsOf({ source }: RegExp): { readonly numbers: number; readonly names: ReadonlySet<string> } {
  const match = new RegExp(`${source}|`, "su").exec("");
  return { numbers: (match?.length ?? 1) - 1, names: new Set(Object.keys(match?.groups ?? {})) };
}

/** Text of the configuration: only what no URI may hold. */
function encodeText(text: string): string {
  return text.replace(/[^!#-;=?-[\]_a-z~]+/g, (run) => encodeURIComponent(run.toWellFormed()));
}

/**
 * A stretch of a decoded path. Such a path has `%2F` and `%5C` where the client sent them encoded, so that they stay one; the same text
 * comes of `%252F`, which has to become that again.
 */
function encodePath(text: string, { encodedPath }: Request): string {
  const encoded = text.toWellFormed().replace(/[^!$&-;=@A-Z_a-z~]+/g, encodeURIComponent);
  if (!/%25(?:2F|5C)/.test(encoded)) return encoded;
  const hasSeparator = /%(?:2f|5c)/i.test(encodedPath);
  if (hasSeparator && /%25(?:2f|5c)/i.test(encodedPath)) {
    throw new HTTPError(400, `${encodedPath} cannot be rewritten: it holds an encoded separator, and the text of one`);
  }
  return hasSeparator ? encoded.replaceAll(/%25(2F|5C)/g, "%$1") : encoded;
}
