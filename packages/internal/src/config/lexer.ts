// Splits text to tokens. Never throws: invalid text becomes a `bad` token with its problem, and the parser skips it.

import type { ErrorCode } from "../errors/codes.ts";
import type { Problem } from "./problem.ts";
import { quote } from "./quote.ts";
import { compareOperators, fileTestOperators, presenceOperators, type SpecSource } from "./spec.ts";

/** A source that is text. */
export interface TextSource extends SpecSource {
  readonly text: string;
}

export type TokenKind =
  /** A sign, `true`, `false`, or the name in `%env(NAME)` */
  | "word"
  /** Digits and the characters attached to them; parsed by literals.ts */
  | "number"
  /** With its quotes */
  | "string"
  /** `.name` */
  | "property"
  /** `$name` */
  | "variable"
  /** `%name` */
  | "constant"
  /** A comparison or a file test; only after a variable */
  | "operator"
  /** `<path>`, with its brackets */
  | "include"
  | Punctuation
  /** Its problem has been reported */
  | "bad"
  /** The end of the text: the last token, empty, directly after the previous one */
  | "end";

export type Punctuation = "{" | "}" | "(" | ")" | "[" | "]" | "," | ":" | "=" | "+" | "!" | "&&" | "||";

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

/** Not a token: the parser never sees it. */
export interface Comment {
  readonly start: number;
  readonly end: number;
}

/** A tokenized text. */
export interface Lexed {
  /** Without a byte order mark: positions match those of editors. */
  readonly source: TextSource;
  /** Ends with an `end` token. */
  readonly tokens: readonly Token[];
  /** Line comments, without their line end, and stream comments. */
  readonly comments: readonly Comment[];
  readonly problems: readonly Problem[];
}

export function lex(given: TextSource): Lexed {
  const source = withoutMark(given);
  const { text } = source;
  const { length } = text;
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  const problems: Problem[] = [];
  let at = 0;

  function push(kind: TokenKind, end: number): void {
    tokens.push({ kind, start: at, end });
    at = end;
  }

  function pushBad(end: number, message: string, hint?: string, code: ErrorCode = "HEMI_CONFIG_SYNTAX"): void {
    problems.push({ code, message, hint, span: { source, start: at, end }, path: undefined });
    push("bad", end);
  }

  function pushString(quoteMark: string): void {
    const close = text.indexOf(quoteMark, at + 1);
    if (close !== -1) {
      push("string", close + 1);
      return;
    }
    // The missing quote is usually an earlier one: each string after it began where it should have ended.
    const culprit = tokens.findIndex(({ kind, start, end }) => kind === "string" && swallows(text, start, end));
    const opening = tokens[culprit];
    if (opening === undefined) {
      pushBad(length, `this string lacks its closing ${quoteMark}`);
      return;
    }
    tokens.length = culprit;
    const { start } = opening;
    while ((problems.at(-1)?.span.start ?? 0) > start) problems.pop();
    while ((comments.at(-1)?.start ?? 0) > start) comments.pop();
    at = start;
    pushBad(length, `this string lacks its closing ${text.charAt(start)}`);
  }

  function pushName(kind: "property" | "variable" | "constant"): void {
    const end = wordEnd(text, at + 1);
    if (end > at + 1 && !isDigit(text.charCodeAt(at + 1))) push(kind, end);
    else pushBad(end, `a name is missing behind ${quote(text.charAt(at))}`);
  }

  function pushInclude(): void {
    const lineEnd = endOfLine(text, at);
    const close = text.indexOf(">", at);
    if (close === -1 || close > lineEnd) {
      pushBad(lineEnd, "this include lacks its closing >", "an include is written <path>, on one line");
    } else if (text.slice(at + 1, close).trim() === "") pushBad(close + 1, "this include names no file");
    else push("include", close + 1);
  }

  /** After a variable: only an operator can begin with these characters there. */
  function pushOperator(): void {
    let end = at + 1;
    while (end < length && operatorRun.includes(text.charAt(end))) end++;
    const first = text.charAt(at);
    if (end === at + 1 && (first === "-" || first === "!")) end = wordEnd(text, end);
    // `!$name`: the dollar sign belongs to a variable only if no operator precedes it.
    const operator = text.slice(at, end);
    if (operators.has(operator)) push("operator", end);
    else if (operators.has(text.slice(at, at + 2))) push("operator", at + 2);
    else {
      const hint = operator.startsWith("-")
        ? `file tests are ${fileTestOperators.join(" ")}`
        : `did you mean ${nearestOperator(operator)} ?`;
      pushBad(end, `there is no operator ${quote(operator)}`, hint, "HEMI_CONFIG_CONDITION");
    }
  }

  /** `in` and `exists` are operators only behind the variable of a condition. Behind a value, they may be signs. */
  function pushWord(): void {
    const end = wordEnd(text, at);
    const before = tokens.at(-2)?.kind;
    const isInCondition = tokens.at(-1)?.kind === "variable" && before !== "=" && before !== "+";
    push(isInCondition && operators.has(text.slice(at, end)) ? "operator" : "word", end);
  }

  function pushStranger(): void {
    const char = text.charAt(at);
    if (char === "'") {
      const close = text.indexOf("'", at + 1);
      const end = close === -1 || close > endOfLine(text, at) ? endOfLine(text, at) : close + 1;
      pushBad(end, "strings do not stand in single quotes", 'write "a" or `a`');
      return;
    }
    let end = at + 1;
    if (char === "-") while (isDigit(text.charCodeAt(end))) end++;
    else if (char > "\u007f") while (end < length && text.charAt(end) > "\u007f") end++;
    else while (end < length && text.charAt(end) === char) end++;
    const found = text.slice(at, end);
    pushBad(end, `${quote(found)} does not belong here`, strangerHint(found));
  }

  while (at < length) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? classes[code] : undefined;
    if (kind === "space") at++;
    else if (kind === "word") pushWord();
    else if (kind === "digit") push("number", numberEnd(text, at));
    else if (operatorRun.includes(text.charAt(at)) && tokens.at(-1)?.kind === "variable") pushOperator();
    else {
      const char = text.charAt(at);
      const next = text.charAt(at + 1);
      if (char === '"' || char === "`") pushString(char);
      else if (char === "#" || (char === "/" && next === "/")) {
        const lineEnd = endOfLine(text, at);
        comments.push({ start: at, end: lineEnd });
        at = lineEnd;
      } else if (char === "/" && next === "*") {
        const close = text.indexOf("*/", at + 2);
        if (close === -1) pushBad(length, "this comment lacks its closing */");
        else {
          comments.push({ start: at, end: close + 2 });
          at = close + 2;
        }
      } else if (char === ".") pushName("property");
      else if (char === "$") pushName("variable");
      else if (char === "%") pushName("constant");
      else if (char === "<") pushInclude();
      else if (isFileTestAt(text, at)) push("operator", at + 2);
      else if (kind !== undefined) push(kind, at + 1);
      else if (char === "&" && next === "&") push("&&", at + 2);
      else if (char === "|" && next === "|") push("||", at + 2);
      else pushStranger();
    }
  }
  at = tokens.at(-1)?.end ?? 0;
  push("end", at);
  return { source, tokens, comments, problems };
}

/** Names after `.`, `$` and `%`, and signs: letters, digits and `_`, not starting with a digit. */
export function isName(text: string): boolean {
  return text !== "" && !isDigit(text.charCodeAt(0)) && wordEnd(text, 0) === text.length;
}

const fileTests: ReadonlySet<string> = new Set<string>(fileTestOperators);
const operators: ReadonlySet<string> = new Set<string>([...compareOperators, ...presenceOperators, ...fileTests]);
const operatorRun = "=!^$*~-";

/** The token that each ASCII character begins, if the character alone decides it. */
const classes = characterClasses();

function characterClasses(): readonly ("space" | "word" | "digit" | Punctuation | undefined)[] {
  const table = new Array<"space" | "word" | "digit" | Punctuation | undefined>(128).fill(undefined);
  for (const char of " \t\r\n") table[char.charCodeAt(0)] = "space";
  for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") table[char.charCodeAt(0)] = "word";
  for (const char of "0123456789") table[char.charCodeAt(0)] = "digit";
  for (const char of ["{", "}", "(", ")", "[", "]", ",", ":", "=", "+", "!"] as const) table[char.charCodeAt(0)] = char;
  return table;
}

function withoutMark(source: TextSource): TextSource {
  return source.text.startsWith("\ufeff") ? { ...source, text: source.text.slice(1) } : source;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function wordEnd(text: string, from: number): number {
  let end = from;
  for (; end < text.length; end++) {
    const kind = classes[text.charCodeAt(end)];
    if (kind !== "word" && kind !== "digit") break;
  }
  return end;
}

/** `-f "maintenance.html"`: without a variable before it. */
function isFileTestAt(text: string, at: number): boolean {
  const first = text.charAt(at);
  if (first !== "-" && first !== "!") return false;
  return fileTests.has(text.slice(at, at + 2)) && wordEnd(text, at + 1) === at + 2;
}

/** Includes characters that do not belong to a number but were meant as one value: `1.5`, `127.0.0.1:3081`. */
function numberEnd(text: string, from: number): number {
  let end = wordEnd(text, from);
  while ((text.charAt(end) === "." || text.charAt(end) === ":") && isDigit(text.charCodeAt(end + 1))) {
    end = wordEnd(text, end + 1);
  }
  return end;
}

/** Whether a string spans lines that look like configuration. */
function swallows(text: string, start: number, end: number): boolean {
  const lineEnd = text.indexOf("\n", start);
  if (lineEnd === -1 || lineEnd >= end) return false;
  return /\n[ \t]*(\.\w+[ \t]*=|\w+[ \t]*\{|[}\])])/.test(text.slice(lineEnd, end));
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  if (end === -1) return text.length;
  return end > from && text.charAt(end - 1) === "\r" ? end - 1 : end;
}

function nearestOperator(operator: string): string {
  // What other servers write: `!D`, `!~ *`.
  if (operators.has(operator.toLowerCase())) return operator.toLowerCase();
  const heart = /[\^$*~]/.exec(operator)?.[0];
  if (operator.includes("!")) return `!${heart ?? "="}`;
  return `${heart ?? "="}=`;
}

function strangerHint(found: string): string | undefined {
  if (/^-\d/.test(found)) return "numbers have no sign";
  if (/[“”„‘’«»]/.test(found)) return 'strings stand in straight quotes: "a" or `a`';
  if (/\s/.test(found)) return "this is a special space: write a plain one";
  if (found.startsWith(";")) return "nothing is needed between properties";
  // A path in a condition: `$path == /admin`.
  if (found === "/") return 'text stands in quotes: "/…"';
  if (found === "&" || found === "|") return `did you mean ${found}${found} ?`;
  return undefined;
}
