// Formats a problem: position, message, the line with a row of carets, and the hint after the carets.

import type { Problem } from "./problem.ts";
import type { SourceSpan } from "./spec.ts";
import { lineAt, lineStart } from "./position.ts";

/**
 * Three lines; columns are UTF-16 code units from 1:
 *
 *    conf/shop.conf:12:9 HEMI_CONFIG_UNKNOWN_PROP: webapp "shop" has no property "hostname"
 *       12 |         .hostname = ("shop.example")
 *          |         ^^^^^^^^^ did you mean .hostnames?
 *
 * For a TypeScript object, the path replaces the position, and only the hint follows. The details come last.
 */
export function problemText(problem: Problem): string {
  const { code, message, hint, span, path, details } = problem;
  const { name, text } = span.source;
  const tail = details === undefined ? "" : `\n${details}`;
  if (text === undefined)
    return `${path ?? name} ${code}: ${message}${hint === undefined ? "" : `\n${margin}  ${hint}`}${tail}`;
  return shown({ ...span, source: { name, text } }, ` ${code}: ${message}`, hint) + tail;
}

/** Where a problem stands, in a word: `conf/shop.conf:12:9`, or the component's path in a TypeScript object. */
export function problemPlace({ span, path }: Problem): string {
  const { name, text } = span.source;
  if (text === undefined) return path ?? name;
  const start = Math.min(span.start, text.length);
  return `${name}:${lineAt(text, start)}:${start - lineStart(text, start) + 1}`;
}

/**
 * The place, its line and the caret row, without a message: `lib.ts:3:9` and two lines. Nothing but the name where
 * there is no text.
 */
export function placeText(span: SourceSpan): string {
  const { name, text } = span.source;
  return text === undefined ? name : shown({ ...span, source: { name, text } }, "", undefined);
}

interface TextSpan extends SourceSpan {
  readonly source: { readonly name: string; readonly text: string };
}

function shown({ source: { name, text }, start: wanted, end }: TextSpan, message: string, hint?: string): string {
  const start = Math.min(wanted, text.length);
  const line = lineAt(text, start);
  const from = lineStart(text, start);
  const [excerpted, carets] = excerpt(lineOf(text, from), start - from, Math.min(end, text.length) - from);
  return [
    `${name}:${line}:${start - from + 1}${message}`,
    `${String(line).padStart(margin.length)} | ${excerpted}`.trimEnd(),
    `${margin} | ${carets}${hint === undefined ? "" : ` ${hint}`}`,
  ].join("\n");
}

const margin = "     ";
/** The maximum number of shown characters of a long line, and how many of them are before the carets. */
const widest = 120;
const before = 40;

/** The line and its row of carets. Of a long line, only the part around the carets. */
function excerpt(line: string, start: number, end: number): readonly [shown: string, carets: string] {
  const tooLong = line.length > widest;
  const cutBefore = tooLong ? Math.max(0, Math.min(start - before, line.length - widest)) : 0;
  const cutAfter = tooLong ? Math.min(line.length, cutBefore + widest) : line.length;
  const lead = cutBefore > 0 ? "…" : "";
  const trail = cutAfter < line.length ? "…" : "";
  const width = Math.max(1, Math.min(end, cutAfter) - start);
  const prefix = lead + line.slice(cutBefore, start);
  // A tab is repeated, so that the carets are aligned whatever its width.
  const carets = prefix.replace(/[^\t]/g, " ") + "^".repeat(width);
  return [plain(lead + line.slice(cutBefore, cutAfter) + trail), carets];
}

function lineOf(text: string, from: number): string {
  const end = text.indexOf("\n", from);
  return (end === -1 ? text.slice(from) : text.slice(from, end)).replace(/\r$/, "");
}

/** Characters that would move the terminal's cursor or change the text direction are replaced, one for one. */
function plain(line: string): string {
  return line.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}
