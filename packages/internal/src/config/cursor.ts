// The parser's position in the tokens of one text: the current token, error messages, and recovery after mistakes.

import type { ErrorCode } from "../errors/codes.ts";
import type { Lexed, Token, TokenKind } from "./lexer.ts";
import type { Problem } from "./problem.ts";
import { quote } from "./quote.ts";
import { indentBefore } from "./position.ts";
import type { SourceSpan } from "./spec.ts";

/** The maximum nesting of components, values and parentheses. It keeps the recursion far from a stack overflow. */
export const maxDepth = 100;

export class Cursor {
  /** The current token. */
  token: Token;
  /** The number of open brackets here, including those of including files. */
  depth: number;
  readonly #lexed: Lexed;
  readonly #problems: Problem[];
  #index = 0;

  constructor(lexed: Lexed, problems: Problem[], depth = 0) {
    this.#lexed = lexed;
    this.#problems = problems;
    this.depth = depth;
    this.token = this.#at(0);
  }

  /** Returns the token and moves on. The last token stays current. */
  take(): Token {
    const { token } = this;
    if (token.kind !== "end") this.token = this.#at(++this.#index);
    return token;
  }

  is(kind: TokenKind): boolean {
    return this.token.kind === kind;
  }

  nextIs(kind: TokenKind): boolean {
    return this.#at(this.#index + 1).kind === kind;
  }

  /** The content of the string after the token, if it is one. */
  nextString(): string | undefined {
    return this.nextIs("string") ? this.inner(this.#at(this.#index + 1)) : undefined;
  }

  text(token: Token): string {
    return this.#lexed.source.text.slice(token.start, token.end);
  }

  /** The text after the first character of the token: the name in `.name`. */
  name(token: Token): string {
    return this.#lexed.source.text.slice(token.start + 1, token.end);
  }

  /** The text between the first and last character of a token: a string without its quotes. */
  inner(token: Token): string {
    return this.#lexed.source.text.slice(token.start + 1, token.end - 1);
  }

  /** From the start of one to the end of the other. */
  span(from: { readonly start: number }, to: { readonly end: number }): SourceSpan {
    return { source: this.#lexed.source, start: from.start, end: to.end };
  }

  /** The last token that was taken. */
  get taken(): Token {
    return this.#at(Math.max(0, this.#index - 1));
  }

  /**
   * Whether the text ends inside a string or comment. That problem then explains everything that is missing after it.
   */
  get endsBroken(): boolean {
    const last = this.#lexed.tokens.at(-2);
    return last?.kind === "bad" && last.end === this.#lexed.source.text.length;
  }

  report(
    message: string,
    {
      hint,
      code = "HEMI_CONFIG_SYNTAX",
      at = this.token,
    }: { hint?: string | undefined; code?: ErrorCode; at?: Token | SourceSpan } = {},
  ): void {
    // The lexer has reported the problem of a bad token.
    if ("kind" in at && at.kind === "bad") return;
    this.#problems.push({ code, message, hint, span: this.span(at, at), path: undefined });
  }

  /** Reports what is expected here. If a line or body ends too early, the reported position is the token before. */
  expected(what: string, hint?: string): void {
    if (this.token.kind === "end" && this.endsBroken) return;
    const isEarly = !this.is("word") && this.atStatement();
    if (this.#index > 0 && (isEarly || this.startsLine(this.token)))
      this.report(`expected ${what} behind ${this.describe(this.taken)}`, { hint, at: this.taken });
    else this.unexpected(what, hint);
  }

  /** Reports what is expected instead of the current token. */
  unexpected(what: string, hint?: string): void {
    this.report(`expected ${what}, found ${this.describe(this.token)}`, { hint });
  }

  describe(token: Token): string {
    if (token.kind === "end") return "the end of the text";
    return token.kind === "string" ? `the string ${quote(this.inner(token))}` : quote(this.text(token));
  }

  /** Whether a property, a component or an include begins here, or the body ends. */
  atStatement(): boolean {
    switch (this.token.kind) {
      case "property":
        return this.nextIs("=");
      case "word":
        return this.atComponent();
      case "include":
      case "}":
      case "end":
        return true;
      default:
        return false;
    }
  }

  /** A word followed by a token that can only follow a sign. */
  atComponent(): boolean {
    if (!this.is("word") || this.text(this.token) === "true" || this.text(this.token) === "false") return false;
    if (this.nextIs("{") || this.nextIs("string") || this.nextIs("variable") || this.nextIs("!")) return true;
    return this.nextIs("(") && this.startsLine(this.token);
  }

  /** Whether the token is the first on its line. */
  startsLine(token: Token): boolean {
    return indentBefore(this.#lexed.source.text, token.start) !== undefined;
  }

  /** After a mistake in a body: moves to the next statement or to the end of the body. */
  skipToStatement(): void {
    while (!this.atStatement()) {
      if (this.is("property") && this.startsLine(this.token)) return;
      if (this.is("{")) this.skipGroup();
      else this.take();
    }
  }

  /** After a mistake between a sign and its body: moves to the body, or to the probable start of the next statement. */
  skipToBody(): void {
    while (!this.is("{") && !this.is("}") && !this.is("end") && !this.is("include")) {
      if (this.is("property") && this.nextIs("=")) return;
      if (this.is("word") && this.startsLine(this.token)) return;
      this.take();
    }
  }

  /**
   * After a mistake in a list, dict or condition: moves to its next comma or closing bracket, or to where it must have
   * ended.
   */
  skipToComma(): void {
    while (!this.atStatement() && !this.is("{")) {
      if (this.is(",") || this.is(")") || this.is("]")) return;
      if (this.is("(") || this.is("[")) this.skipGroup();
      else this.take();
    }
  }

  /** Skips a bracket with its content. */
  skipGroup(): void {
    const braces = this.is("{");
    let open = 0;
    do {
      const { kind } = this.token;
      if (braces ? kind === "{" : kind === "(" || kind === "[") open++;
      else if (braces ? kind === "}" : kind === ")" || kind === "]") open--;
      else if (kind === "end" || (!braces && this.atStatement())) return;
      this.take();
    } while (open > 0);
  }

  /** Runs `parse` one level deeper. If that is too deep, reports it and skips the bracket. */
  nest<Result>(parse: () => Result): Result | undefined {
    if (this.depth >= maxDepth) {
      this.report(`this stands more than ${maxDepth} levels deep`);
      this.skipGroup();
      return undefined;
    }
    this.depth++;
    const result = parse();
    this.depth--;
    return result;
  }

  #at(index: number): Token {
    // Every list of tokens ends with an `end`.
    return this.#lexed.tokens[index] ?? this.#lexed.tokens.at(-1) ?? { kind: "end", start: 0, end: 0 };
  }
}
