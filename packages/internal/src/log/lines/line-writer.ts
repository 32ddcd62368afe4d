// What formats of log lines write to, piece by piece: pieces that are cached need not be joined for each line.

/** Takes one line after the other, each in pieces. */
export interface LineWriter {
  /** ASCII only. Cheapest for texts made by `flat`. */
  add(text: string): void;
  /** Any text, written as UTF-8. */
  addText(text: string): void;
}

/** Writes the line of an entry, including its line end. */
export type LineFormat<Entry> = (entry: Entry, line: LineWriter) => void;

/** The line of an entry as text. */
export function lineText<Entry>(format: LineFormat<Entry>, entry: Entry): string {
  let text = "";
  const add = (piece: string): void => void (text += piece);
  format(entry, { add, addText: add });
  return text;
}
