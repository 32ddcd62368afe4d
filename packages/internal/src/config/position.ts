// Converts offsets in a text to lines, columns and indentation. Computed for messages only, never while parsing.

/** The line of an offset, from 1. Fast for many offsets of one text in their order, as in a plan of many rules. */
export function lineAt(text: string, offset: number): number {
  if (text !== last.text || offset < last.offset) last = { text, offset: 0, line: 1 };
  let { line } = last;
  for (let at = text.indexOf("\n", last.offset); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  last = { text, offset, line };
  return line;
}

/** The line that was asked for last. */
let last = { text: "", offset: 0, line: 1 };

/** The start of the line of an offset. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/**
 * The number of spaces and tabs before an offset, if nothing else precedes it on its line. Inspects only those
 * characters.
 */
export function indentBefore(text: string, offset: number): number | undefined {
  let start = offset;
  while (start > 0 && (text.charAt(start - 1) === " " || text.charAt(start - 1) === "\t")) start--;
  return start === 0 || text.charAt(start - 1) === "\n" ? offset - start : undefined;
}

/** The number of spaces and tabs at the start of the line of an offset. */
export function indentOfLine(text: string, offset: number): number {
  const start = lineStart(text, offset);
  let end = start;
  while (text.charAt(end) === " " || text.charAt(end) === "\t") end++;
  return end - start;
}
