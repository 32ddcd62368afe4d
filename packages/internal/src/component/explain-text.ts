// Explanations as readable text: aligned, in sections.

import { escapeControls } from "../config/quote.ts";
import type { Row, Section, Tone } from "./explain-rows.ts";

/** The options of the text. */
export interface WalkTextOptions {
  /** Formats a piece of a line by its tone. Called for everything except spaces and line ends. Default: unchanged. */
  readonly paint?: (text: string, tone: Tone | "title" | "place") => string;
}

/** Ends with a line end. Contains no control characters except those of `paint`. */
export function sectionsText(
  head: string,
  sections: readonly Section[],
  { paint = (text) => text }: WalkTextOptions = {},
): string {
  const placeWidth = widest(sections.flatMap(({ rows }) => rows.map(({ place }) => place.length)));
  const blocks = sections.map((section) => sectionText(section, placeWidth, paint));
  return [paint(escapeControls(head), "title"), ...blocks].join("\n\n") + "\n";
}

/** Colours for terminals, with ANSI escapes. */
export function paintForTerminal(text: string, tone: Tone | "title" | "place"): string {
  const code = { plain: "", good: "32", bad: "31", dim: "2", title: "1", place: "36" }[tone];
  return code === "" || text === "" ? text : `\x1b[${code}m${text}\x1b[0m`;
}

function sectionText(
  { title, rows }: Section,
  placeWidth: number,
  paint: NonNullable<WalkTextOptions["paint"]>,
): string {
  const texts = layOutRows(rows);
  const hasPlaces = rows.some(({ place }) => place !== "");
  const verdictAt = widest(rows.map(({ verdict }, i) => (verdict === "" ? 0 : (texts[i] ?? "").length)));
  const lines = rows.map(({ place, verdict, tone }, i) => {
    const text = texts[i] ?? "";
    const before = !hasPlaces ? "" : paint(escapeControls(place), "place") + padding(placeWidth + 2, place);
    const shown = paint(text, verdict === "" || tone === "dim" ? tone : "plain");
    const behind = verdict === "" ? "" : padding(verdictAt + 3, text) + paint(escapeControls(verdict), tone);
    return `  ${before}${shown}${behind}`;
  });
  return [paint(escapeControls(title), "title"), ...lines.map((line) => line.trimEnd())].join("\n");
}

/**
 * Subject and object in two columns. The terms of each rule have their own columns, so that one long value does not
 * shift all others.
 */
function layOutRows(rows: readonly Row[]): readonly string[] {
  let width = 0;
  return rows.map(({ indent, subject, object }, i) => {
    if (i === 0 || indent === 0 || rows[i - 1]?.indent === 0) {
      width = widest(groupAt(rows, i).map((row) => (row.object === "" ? 0 : 2 * row.indent + row.subject.length)));
    }
    const left = " ".repeat(2 * indent) + subject;
    return escapeControls(object === "" ? left : left.padEnd(width) + "  " + object);
  });
}

/**
 * Neighbouring rows that are aligned together: all rows without indentation, or the indented rows below one of them.
 */
function groupAt(rows: readonly Row[], start: number): readonly Row[] {
  if (rows[start]?.indent === 0) return rows.filter(({ indent }) => indent === 0);
  const end = rows.findIndex(({ indent }, i) => i > start && indent === 0);
  return rows.slice(start, end === -1 ? undefined : end);
}

function padding(width: number, text: string): string {
  return " ".repeat(Math.max(2, width - text.length));
}

function widest(widths: readonly number[]): number {
  return Math.max(0, ...widths);
}
