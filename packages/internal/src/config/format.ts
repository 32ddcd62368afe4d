// The one layout of configurations, which `hemi fmt` writes. It only changes white space, trailing commas and the
// places of comments. Formatting a formatted text changes nothing.

import { sortProblems } from "./config-error.ts";
import {
  blankLine,
  commaIfBroken,
  group,
  indent,
  layOut,
  lineText,
  nothing,
  sequence,
  space,
  suffix,
  text,
  type Doc,
} from "./layout.ts";
import { lex, type Comment, type Lexed, type Token, type TokenKind } from "./lexer.ts";
import { parseFragment, parseStage } from "./parser.ts";
import type { Problem } from "./problem.ts";

/** The result of `formatConfig`. */
export type Formatted =
  | { readonly text: string; readonly problems: readonly [] }
  /** A text with mistakes is not changed. */
  | { readonly text: undefined; readonly problems: readonly Problem[] };

/**
 * Formats a configuration, or a file that configurations include. Keeps all comments and single empty lines. A body or
 * list on one line stays on one line if it fits. `name` identifies the text in errors.
 */
export function formatConfig(given: string, name = "<text>"): Formatted {
  const lexed = lex({ name, text: given });
  const problems: Problem[] = [];
  const [first] = lexed.tokens;
  const isWhole = first !== undefined && given.slice(first.start, first.end) === "stage";
  if (isWhole) parseStage(lexed, problems, () => undefined);
  else parseFragment(lexed, problems, () => undefined, { props: [], children: [] }, 0);
  if (problems.length > 0) return { text: undefined, problems: sortProblems(problems) };
  const laidOut = layOut(new Formatter(lexed).file()).trim();
  return { text: laidOut === "" ? "" : `${laidOut}\n`, problems: [] };
}

/** The comments and line ends between two items of a body or list. */
interface Gap {
  /** Block comments between the last item and the closing bracket, all on one line. */
  readonly inside: readonly string[];
  /** On the line of the previous item. */
  readonly behind: readonly string[];
  /** On their own lines, or before the next item on its line; each with the number of line ends before it. */
  readonly before: readonly { readonly comment: string; readonly lines: number }[];
  /** Line ends directly before the next item. */
  readonly lines: number;
}

/** Walks through the tokens of a text that is known to be well formed. */
class Formatter {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #comments: readonly Comment[];
  #tokenIndex = 0;
  #commentIndex = 0;
  /** The end of the last token or comment. */
  #end = 0;

  constructor({ source, tokens, comments }: Lexed) {
    this.#text = source.text;
    this.#tokens = tokens;
    this.#comments = comments;
  }

  file(): Doc {
    return sequence(...this.#items("end", undefined, () => this.#statement()));
  }

  #statement(): Doc {
    if (this.#is("include")) {
      const written = this.#slice(this.#token);
      this.#step();
      return text(`<${written.slice(1, -1).trim()}>`);
    }
    if (this.#is("property")) {
      return sequence(this.#take(), text(" "), this.#take(), text(" "), this.#value());
    }
    const parts = [this.#take()];
    if (this.#is("string")) parts.push(text(" "), this.#take());
    if (!this.#is("{")) parts.push(text(" "), this.#condition());
    return sequence(...parts, text(" "), this.#body());
  }

  #body(): Doc {
    const { start } = this.#token;
    const open = this.#take();
    const items = this.#items("}", space, () => this.#statement());
    const isOneLine = !this.#text.slice(start, this.#token.start).includes("\n");
    const close = this.#take();
    if (items.length === 0) return sequence(open, close);
    return group(sequence(open, indent(sequence(...items)), space, close), !isOneLine);
  }

  #value(): Doc {
    const parts = [this.#operand()];
    while (this.#is("+")) parts.push(...this.#joint(), this.#operand());
    return parts.length === 1 ? sequence(...parts) : group(indent(sequence(...parts)));
  }

  #operand(): Doc {
    if (this.#is("(")) return this.#list(")", () => this.#value());
    if (this.#is("[")) {
      return this.#list("]", () => sequence(this.#take(), this.#take("ahead"), text(" "), this.#value()));
    }
    const isEnv = this.#is("constant") && this.#slice(this.#token) === "%env";
    const first = this.#take();
    if (!isEnv) return first;
    const parts = [first, this.#take(), this.#take()];
    if (this.#is(",")) parts.push(this.#take("ahead"), text(" "), this.#take());
    return sequence(...parts, this.#take("ahead"));
  }

  #list(closer: ")" | "]", item: () => Doc): Doc {
    const open = this.#take();
    const nextStart = Math.min(this.#token.start, this.#comments[this.#commentIndex]?.start ?? Infinity);
    const isBroken = this.#text.slice(this.#end, nextStart).includes("\n");
    const items = this.#items(closer, nothing, item, ",");
    const close = this.#take();
    if (items.length === 0) return sequence(open, close);
    return group(sequence(open, indent(sequence(...items)), nothing, close), isBroken);
  }

  #condition(): Doc {
    const parts = [this.#test()];
    while (this.#is("&&") || this.#is("||")) parts.push(...this.#joint(), this.#test());
    return parts.length === 1 ? sequence(...parts) : group(indent(sequence(...parts)));
  }

  #test(): Doc {
    if (this.#is("!")) return sequence(this.#take(), this.#test());
    if (this.#is("(")) return sequence(this.#take(), this.#condition(), this.#take("ahead"));
    // `-f "maintenance.html"`
    if (this.#is("operator")) return sequence(this.#take(), text(" "), this.#value());
    const parts = [this.#take(), text(" ")];
    const operator = this.#slice(this.#token);
    parts.push(this.#take());
    if (/^(?:[-!][a-zA-Z]|!?exists)$/.test(operator)) return sequence(...parts);
    return sequence(...parts, text(" "), this.#value());
  }

  /**
   * All items up to `closer`, with the comments among them, and `lead` before the first. Without items and comments,
   * the list is empty.
   */
  #items(closer: TokenKind, lead: Doc | undefined, item: () => Doc, separator?: ","): Doc[] {
    const docs: Doc[] = [];
    for (let isFirst = true; ; isFirst = false) {
      const isLast = this.#is(closer);
      const gap = this.#gap(isLast);
      for (const comment of gap.inside) docs.push(text(` ${comment}`));
      if (separator !== undefined && !isFirst) docs.push(isLast ? commaIfBroken : text(separator));
      for (const comment of gap.behind) docs.push(suffix(comment, true));
      let isStart = isFirst;
      let isGlued = false;
      for (const { comment, lines } of gap.before) {
        const between = isStart ? lead : lineBetween(lines, isGlued);
        if (between !== undefined) docs.push(between);
        docs.push(isStream(comment) ? text(comment) : lineText(comment));
        isStart = false;
        isGlued = true;
      }
      if (isLast) return docs;
      const between = isStart ? lead : lineBetween(gap.lines, isGlued);
      if (between !== undefined) docs.push(between);
      docs.push(item());
      if (separator !== undefined && this.#is(separator)) docs.push(...this.#passComma());
    }
  }

  #gap(isLast: boolean): Gap {
    const behind: string[] = [];
    const before: { comment: string; lines: number }[] = [];
    let isBehind = this.#tokenIndex > 0;
    for (const comment of this.#takeComments()) {
      const lines = this.#linesUpTo(comment.start);
      if (lines > 0) isBehind = false;
      if (isBehind) behind.push(this.#slice(comment));
      else before.push({ comment: this.#slice(comment), lines });
      this.#end = comment.end;
    }
    const lines = this.#linesUpTo(this.#token.start);
    const endsLine = before.length > 0 ? (before[0]?.lines ?? 0) > 0 : lines > 0 || this.#is("end");
    if (endsLine || behind.length === 0) return { inside: [], behind, before, lines };
    // Block comments on the line of the next item or of the closing bracket belong to it.
    if (isLast) return { inside: behind, behind: [], before, lines };
    return { inside: [], behind: [], before: behind.map((comment) => ({ comment, lines: 0 })), lines };
  }

  /** `+`, `&&` or `||`; if the group breaks, it starts a new line. Comments before it stay on the line above. */
  #joint(): Doc[] {
    return [...this.#commentsAhead(), space, this.#take(), text(" ")];
  }

  /** Skips the comma, which `#items` writes, and returns the comments before it. */
  #passComma(): Doc[] {
    const comments = this.#commentsAhead();
    this.#step();
    return comments;
  }

  #commentsAhead(): Doc[] {
    const comments = this.#takeComments().map((comment) => this.#slice(comment));
    return comments.map((comment) => (isStream(comment) ? text(` ${comment}`) : suffix(comment, true)));
  }

  /** A token with the comments directly before it. `spaceSide` tells on which side of them the space is. */
  #take(spaceSide: "ahead" | "behind" = "behind"): Doc {
    const comments = this.#takeComments().map((comment) => this.#slice(comment));
    const docs = comments.map((comment) => {
      if (!isStream(comment)) return suffix(comment, false);
      return text(spaceSide === "ahead" ? ` ${comment}` : `${comment} `);
    });
    const token = text(this.#slice(this.#token));
    this.#step();
    return docs.length === 0 ? token : sequence(...docs, token);
  }

  #takeComments(): Comment[] {
    const comments: Comment[] = [];
    for (;;) {
      const comment = this.#comments[this.#commentIndex];
      if (comment === undefined || (!this.#is("end") && comment.start > this.#token.start)) return comments;
      comments.push(comment);
      this.#commentIndex++;
    }
  }

  #linesUpTo(position: number): number {
    let lines = 0;
    for (let at = this.#end; at < position; at++) if (this.#text.charAt(at) === "\n") lines++;
    return lines;
  }

  get #token(): Token {
    return this.#tokens[this.#tokenIndex] ?? { kind: "end", start: this.#text.length, end: this.#text.length };
  }

  #is(kind: TokenKind): boolean {
    return this.#token.kind === kind;
  }

  #slice({ start, end }: Comment): string {
    return this.#text.slice(start, end);
  }

  #step(): void {
    this.#end = this.#token.end;
    this.#tokenIndex++;
  }
}

function isStream(comment: string): boolean {
  return comment.startsWith("/*");
}

/** The line end between two items below each other. A block comment may be on the line of the item that follows it. */
function lineBetween(lines: number, isGlued: boolean): Doc {
  if (isGlued && lines === 0) return text(" ");
  return lines > 1 ? blankLine : space;
}
