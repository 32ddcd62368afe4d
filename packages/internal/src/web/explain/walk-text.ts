// A walk as text to read: aligned, section by section.

import type { Walk } from "./explanation.ts";
import { escapeControls } from "../../config/quote.ts";
import { walkSections, type Row, type Section, type Tone } from "./walk-rows.ts";

/** How a walk is written. */
export interface WalkTextOptions {
  /** Writes a piece of a line so that it looks like its tone. All but spaces and line ends goes through it. Default: as it is. */
  readonly paint?: (text: string, tone: Tone | "title" | "place") => string;
}

/** Ends with a line end. Nothing in it disturbs a terminal but what `paint` puts in. */
export function walkText(walk: Walk, { paint = (text) => text }: WalkTextOptions = {}): string {
  const sections = walkSections(walk);
  const placeWidth = widest(sections.flatMap(({ rows }) => rows.map(({ place }) => place.length)));
  const { method, url } = walk.request;
  const head = paint(escapeControls(`${method} ${url}`), "title");
  const blocks = sections.map((section) => sectionText(section, placeWidth, paint));
  return [head, ...blocks].join("\n\n") + "\n";
}

/** Paints for terminals, by ANSI escapes. */
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
    return `  ${before}${shown}${verdict === "" ? "" : padding(verdictAt + 3, text) + paint(escapeControls(verdict), tone)}`;
  });
  return [paint(escapeControls(title), "title"), ...lines.map((line) => line.trimEnd())].join("\n");
}

/** Subject and object in two columns; a rule's terms have columns of their own, so that one long value does not push all away. */
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

/** Neighbours that are laid out together: all rows without indent, or those that are indented below one of them. */
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
