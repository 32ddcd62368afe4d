// Documents that fit to a page width: a group is written on one line if it fits, otherwise it breaks at each of its
// lines.

/** The maximum number of columns of a line. */
const pageWidth = 100;
const indentText = "    ";

export type Doc =
  | { readonly type: "text"; readonly text: string; readonly width: number }
  | { readonly type: "sequence"; readonly docs: readonly Doc[]; readonly width: number }
  | { readonly type: "group"; readonly doc: Doc; readonly width: number }
  | { readonly type: "indent"; readonly doc: Doc; readonly width: number }
  /** A line end if the group breaks, followed by an empty line if `blank`; otherwise `flat`. */
  | { readonly type: "line"; readonly flat: string; readonly blank: boolean; readonly width: number }
  /** Written only if the group breaks. */
  | { readonly type: "ifBroken"; readonly text: string; readonly width: number }
  /** A comment that waits for the end of its line. */
  | { readonly type: "suffix"; readonly text: string; readonly width: number };

/** A text with a line break forces the group to break. */
export function text(text: string): Doc {
  return { type: "text", text, width: text.includes("\n") ? Infinity : text.length };
}

/** Text that must be the last on its line: a line comment. */
export function lineText(text: string): Doc {
  return { type: "text", text, width: Infinity };
}

export function sequence(...docs: readonly Doc[]): Doc {
  return { type: "sequence", docs, width: docs.reduce((sum, { width }) => sum + width, 0) };
}

/** `broken` breaks the group even if it is short. */
export function group(doc: Doc, broken = false): Doc {
  return { type: "group", doc, width: broken ? Infinity : doc.width };
}

export function indent(doc: Doc): Doc {
  return { type: "indent", doc, width: doc.width };
}

export const space: Doc = { type: "line", flat: " ", blank: false, width: 1 };
export const nothing: Doc = { type: "line", flat: "", blank: false, width: 0 };
export const blankLine: Doc = { type: "line", flat: " ", blank: true, width: Infinity };
export const commaIfBroken: Doc = { type: "ifBroken", text: ",", width: 0 };

/** `breaks` makes the enclosing group break, so that the comment keeps its place. */
export function suffix(comment: string, breaks: boolean): Doc {
  return { type: "suffix", text: comment, width: breaks ? Infinity : 0 };
}

/** Writes a document, broken at its outermost lines. Lines have no trailing spaces. */
export function layOut(doc: Doc): string {
  let written = "";
  let column = 0;
  let suffixes: string[] = [];

  function write(piece: string): void {
    written += piece;
    const lineEnd = piece.lastIndexOf("\n");
    column = lineEnd === -1 ? column + piece.length : piece.length - lineEnd - 1;
  }

  /** Block comments come before line comments, which would swallow them. */
  function flush(): void {
    const isStream = (comment: string): boolean => comment.startsWith("/*");
    const sorted = [...suffixes.filter(isStream), ...suffixes.filter((comment) => !isStream(comment))];
    for (const comment of sorted) write(column === 0 ? comment : ` ${comment}`);
    suffixes = [];
  }

  function print(doc: Doc, level: number, broken: boolean): void {
    switch (doc.type) {
      case "text":
        write(doc.text);
        break;
      case "sequence":
        for (const part of doc.docs) print(part, level, broken);
        break;
      case "group":
        print(doc.doc, level, column + doc.width > pageWidth);
        break;
      case "indent":
        print(doc.doc, level + 1, broken);
        break;
      case "line":
        if (broken) {
          flush();
          write(doc.blank ? "\n\n" : "\n");
          write(indentText.repeat(level));
        } else write(doc.flat);
        break;
      case "ifBroken":
        if (broken) write(doc.text);
        break;
      case "suffix":
        suffixes.push(doc.text);
    }
  }

  print(doc, 0, true);
  flush();
  return written;
}
