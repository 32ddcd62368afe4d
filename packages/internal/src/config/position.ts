// Converts offsets in a text to lines, columns and indentation. Computed for messages only, never while parsing.

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

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
