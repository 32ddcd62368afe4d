// The entry points of the parser. They never throw, whatever the text, and find all independent mistakes in one pass.

import { Cursor } from "./cursor.ts";
import { lex, type Lexed, type TextSource } from "./lexer.ts";
import { parseBody, parseComponent, parseRemains, type Body, type Includer, type Parsing } from "./parse-body.ts";
import { joinHint, parseCondition } from "./parse-condition.ts";
import type { Problem } from "./problem.ts";
import type { ComponentSpec, ConditionSpec } from "./spec.ts";

/** The result for one text. Problems are in the order in which they were found. */
export interface Parsed {
  /** The stage; incomplete if there are problems. `undefined` if the text contains no stage. */
  readonly spec: ComponentSpec | undefined;
  readonly problems: readonly Problem[];
}

/** Parses the text of a whole configuration. Includes are errors here, because there are no files: see load.ts. */
export function parseText(source: TextSource): Parsed {
  const problems: Problem[] = [];
  const spec = parseStage(lex(source), problems, ({ span }) => {
    problems.push({
      code: "HEMI_CONFIG_INCLUDE",
      message: "nothing can be included here",
      hint: undefined,
      span,
      path: undefined,
    });
  });
  return { spec, problems };
}

/** Parses `stage { … }`. */
export function parseStage(lexed: Lexed, problems: Problem[], include: Includer): ComponentSpec | undefined {
  for (const problem of lexed.problems) problems.push(problem);
  const cursor = new Cursor(lexed, problems);
  const hint = "a configuration is one stage { … }, with everything in it";
  if (!cursor.is("word") || cursor.text(cursor.token) !== "stage") {
    cursor.expected('"stage {" at the start of the text', hint);
    if (!cursor.atComponent()) return undefined;
  }
  const parsing: Parsing = { cursor, include, text: lexed.source.text, blocks: [] };
  const parsed = parseComponent(parsing);
  parseRemains(parsing);
  // With an unbalanced brace, the nesting is unknown.
  const stage = parsing.bracesReported ? { ...parsed, props: [], children: [], unread: unreadBody } : parsed;
  if (stage.sign !== "stage") return stage;
  if (stage.nameSpan !== undefined)
    cursor.report("a stage has no name", { at: stage.nameSpan, code: "HEMI_CONFIG_NAME" });
  if (stage.condition !== undefined) cursor.report("a stage takes no condition", { at: stage.condition.span });
  return stage;
}

/** Parses the content of an included file: anything that is allowed in a body. */
export function parseFragment(lexed: Lexed, problems: Problem[], include: Includer, into: Body, depth: number): void {
  for (const problem of lexed.problems) problems.push(problem);
  const cursor = new Cursor(lexed, problems, depth);
  const parsing: Parsing = { cursor, include, text: lexed.source.text, blocks: [] };
  const body: Body = { props: [], children: [] };
  parseBody(parsing, body, undefined);
  if (body.isUnread || parsing.bracesReported) into.isUnread = true;
  if (parsing.bracesReported) return;
  for (const prop of body.props) into.props.push(prop);
  for (const child of body.children) into.children.push(child);
}

/** Parses a separate condition: `when` of a TypeScript object. */
export function parseWhen(source: TextSource, problems: Problem[]): ConditionSpec | undefined {
  const lexed = lex(source);
  for (const problem of lexed.problems) problems.push(problem);
  const cursor = new Cursor(lexed, problems);
  const condition = parseCondition(cursor);
  if (condition !== undefined && !cursor.is("end")) cursor.expected('"&&", "||" or the end', joinHint(cursor));
  return condition;
}

const unreadBody: ReadonlySet<"body"> = new Set(["body"] as const);
