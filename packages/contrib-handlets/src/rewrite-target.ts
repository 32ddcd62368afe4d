// The target of a rewrite: text with variables and with what the groups of a pattern matched.

import {
  compileUri,
  faultOfUri,
  type Request,
  slashInSegment,
  type Template,
  type UriPiece,
  uriVariable,
} from "@hemi/internal";

type TargetArgs = readonly [req: Request, match: RegExpExecArray];

/**
 * Makes the target of one request whose path matched: an encoded path with or without a query, or a URL. Throws
 * HTTPError 400 as `compileUri` does.
 */
export type MakeTarget = (...args: TargetArgs) => string;

/** Says what is wrong with a target; `undefined` if nothing is. */
export function faultOfTarget(target: Template, pattern: RegExp, isRedirect: boolean): string | undefined {
  const { numbers, names } = groupsOf(pattern);
  const unknown = groupNamesIn(target).find((group) => !names.has(group) && !(Number(group) <= numbers));
  if (unknown !== undefined) return `the pattern has no group $${/^\d/.test(unknown) ? unknown : `<${unknown}>`}`;
  return faultOfUri(piecesOf(target), isRedirect ? "location" : "path");
}

/** The target must have no fault. */
export function compileTarget(target: Template): MakeTarget {
  return compileUri(piecesOf(target));
}

const reference = /\$([1-9])|\$<([^>]+)>|(\$\$)|(\$|[^$]+)/g;

function piecesOf({ parts }: Template): UriPiece<TargetArgs>[] {
  return parts.flatMap((part) => (typeof part === "string" ? textPieces(part) : [uriVariable(part.variable)]));
}

function textPieces(text: string): UriPiece<TargetArgs>[] {
  const pieces: UriPiece<TargetArgs>[] = [];
  for (const [, group, name, dollar, plain] of text.matchAll(reference)) {
    const named = group ?? name;
    if (named !== undefined) pieces.push(groupPiece(named));
    else pieces.push(dollar === undefined ? (plain ?? "") : "$");
  }
  return pieces;
}

/** What a group matched is a stretch of the path, which may hold slashes. */
function groupPiece(group: string): UriPiece<TargetArgs> {
  const matched = (match: RegExpExecArray): string =>
    (/^\d/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? "";
  return {
    read: (_req, match) => matched(match).replaceAll(slashInSegment, "/"),
    nature: "stretch",
    readEncoded: (_req, match) => encodePath(matched(match)),
  };
}

function groupNamesIn({ parts }: Template): string[] {
  return parts.flatMap((part) =>
    typeof part === "string" ? [...part.matchAll(reference)].flatMap(([, group, name]) => group ?? name ?? []) : [],
  );
}

/** How many groups there are, and the names of those that have one. */
function groupsOf({ source }: RegExp): { readonly numbers: number; readonly names: ReadonlySet<string> } {
  const match = new RegExp(`${source}|`, "su").exec("");
  return { numbers: (match?.length ?? 1) - 1, names: new Set(Object.keys(match?.groups ?? {})) };
}

/** A stretch of a segmented path: a slash that the client has encoded within a segment stays encoded. */
function encodePath(text: string): string {
  const encoded = text.toWellFormed().replace(/[^!$&-;=@A-Z_a-z~]+/g, encodeURIComponent);
  return encoded.replaceAll(encodeURIComponent(slashInSegment), "%2F");
}
