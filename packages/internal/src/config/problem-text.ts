// How a problem is shown: where, what, the line with a caret row, and the hint behind the carets.

import type { Problem } from "./problem.ts";
import type { Span } from "./spec.ts";
import { lineAt, lineStart } from "./position.ts";

/**
 * Three lines, columns counted in UTF-16 code units from 1:
 *
 *     conf/shop.conf:12:9 HEMI_CONFIG_UNKNOWN_PROP: webapp "shop" has no property "hostname"
 *        12 |         .hostname = ("shop.example")
 *           |         ^^^^^^^^^ did you mean .hostnames?
 *
 * For a TypeScript object the path stands in place of the position, and only the hint follows. The details come last.
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

/** The place, its line and the caret row, without a message: `lib.ts:3:9` and two lines. Nothing but the name where there is no text. */
export function placeText(span: Span): string {
  const { name, text } = span.source;
  return text === undefined ? name : shown({ ...span, source: { name, text } }, "", undefined);
}

interface TextSpan extends Span {
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
/** How much of a long line is shown, and how much of that before the carets. */
const widest = 120;
const before = 40;

/** The line and its caret row; of a long line only what is around the carets. */
function excerpt(line: string, start: number, end: number): readonly [shown: string, carets: string] {
  const tooLong = line.length > widest;
  const cutBefore = tooLong ? Math.max(0, Math.min(start - before, line.length - widest)) : 0;
  const cutAfter = tooLong ? Math.min(line.length, cutBefore + widest) : line.length;
  const lead = cutBefore > 0 ? "…" : "";
  const trail = cutAfter < line.length ? "…" : "";
  const width = Math.max(1, Math.min(end, cutAfter) - start);
  const prefix = lead + line.slice(cutBefore, start);
  // A tab is repeated, so that the carets stand right whatever its width is.
  const carets = prefix.replace(/[^\t]/g, " ") + "^".repeat(width);
  return [plain(lead + line.slice(cutBefore, cutAfter) + trail), carets];
}

function lineOf(text: string, from: number): string {
  const end = text.indexOf("\n", from);
  return (end === -1 ? text.slice(from) : text.slice(from, end)).replace(/\r$/, "");
}

/** What would move the terminal's cursor, or turn the direction of the text, is shown as one replacement character. */
function plain(line: string): string {
  return line.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}
