// Bodies: components, properties, includes. After a mistake, parsing continues with the next statement.

import type { Cursor } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { atCondition, joinHint, negationHint, parseCondition } from "./parse-condition.ts";
import { parseValue } from "./parse-value.ts";
import { indentBefore, indentOfLine, lineAt } from "./position.ts";
import type { ComponentSpec, ConditionSpec, PropSpec, SourceSpan, ValueSpec } from "./spec.ts";

/** `<path>` in a body. */
export interface Include {
  /** As written, without the brackets. */
  readonly path: string;
  readonly span: SourceSpan;
  /** Its nesting depth. The included content has the same depth. */
  readonly depth: number;
}

/** The content of a body, while it is parsed. */
export interface Body {
  readonly props: PropSpec[];
  readonly children: ComponentSpec[];
  /** Whether part of it could not be read. */
  isUnread?: boolean;
}

/** Adds the included content to the body. */
export type Includer = (include: Include, into: Body) => void;

/** The state of parsing one text. */
export interface Parsing {
  readonly cursor: Cursor;
  readonly include: Includer;
  readonly text: string;
  /** The closed pairs of braces, in the order of closing. They help to find a missing brace. */
  readonly blocks: { readonly open: Token; readonly close: Token }[];
  /** An unbalanced brace is reported once. */
  bracesReported?: boolean;
}

const stageHint = "an included file holds only what stands in the place of its include";

/** `sign "name" condition { … }`. The cursor is at the sign. */
export function parseComponent(parsing: Parsing): ComponentSpec {
  const { cursor } = parsing;
  const sign = cursor.take();
  let isHeadUnread = false;
  let name: Token | undefined;
  if (cursor.is("string")) {
    name = cursor.take();
    if (cursor.inner(name) === "") {
      isHeadUnread = true;
      cursor.report("a name is not empty", { at: name, code: "HEMI_CONFIG_NAME" });
    }
  }
  let condition: ConditionSpec | undefined;
  if (atCondition(cursor)) {
    const from = cursor.token;
    condition = parseCondition(cursor);
    condition ??= { type: "unread", span: cursor.span(from, cursor.taken) };
  }
  const body: Body = { props: [], children: [], isUnread: true };
  if (!cursor.is("{")) {
    if (condition?.type !== "unread") {
      isHeadUnread = true;
      expectBody(cursor, sign, condition);
    }
    cursor.skipToBody();
  }
  if (cursor.is("{")) {
    cursor.nest(() => {
      body.isUnread = false;
      parseBody(parsing, body, cursor.take());
    });
  }
  return {
    sign: cursor.text(sign),
    signSpan: cursor.span(sign, sign),
    name: name && cursor.inner(name),
    nameSpan: name && cursor.span(name, name),
    condition,
    props: body.props,
    children: body.children,
    span: cursor.span(sign, cursor.taken),
    ...((isHeadUnread || body.isUnread === true) && { unread: unreadParts(isHeadUnread, body.isUnread === true) }),
  };
}

function unreadParts(head: boolean, body: boolean): ReadonlySet<"head" | "body"> {
  const parts = new Set<"head" | "body">();
  if (head) parts.add("head");
  if (body) parts.add("body");
  return parts;
}

/** Parses statements up to the brace that closes `open`, or to the end of the text if `open` is missing. */
export function parseBody(parsing: Parsing, into: Body, open: Token | undefined): void {
  const { cursor } = parsing;
  for (;;) {
    switch (cursor.token.kind) {
      case "property": {
        into.props.push(parseProp(cursor, cursor.name(cursor.token)));
        break;
      }
      case "word":
        if (cursor.nextIs("=")) {
          const name = cursor.text(cursor.token);
          cursor.report("a property begins with a dot", { hint: `did you mean .${name}?` });
          into.props.push(parseProp(cursor, name));
        } else {
          if (cursor.nextIs("{") && cursor.text(cursor.token) === "stage") {
            cursor.report("a stage is the outermost component only", {
              code: "HEMI_CONFIG_MISPLACED",
              hint: stageHint,
            });
          }
          into.children.push(parseComponent(parsing));
        }
        break;
      case "include": {
        const token = cursor.take();
        const path = cursor.inner(token).trim();
        parsing.include({ path, span: cursor.span(token, token), depth: cursor.depth }, into);
        break;
      }
      case "}": {
        const close = cursor.take();
        if (open !== undefined) {
          parsing.blocks.push({ open, close });
          return;
        }
        reportSurplus(parsing, close, "this } closes nothing");
        break;
      }
      case "end":
        if (open !== undefined) reportUnclosed(parsing, open);
        if (cursor.endsBroken) into.isUnread = true;
        return;
      default:
        parseStranger(cursor, into);
    }
  }
}

/** The text after the stage. It should be empty; otherwise it is parsed to find mistakes. */
export function parseRemains(parsing: Parsing): void {
  const { cursor } = parsing;
  if (cursor.is("end")) return;
  reportSurplus(parsing, cursor.token, "the stage has ended: nothing may stand behind it");
  parseBody(parsing, { props: [], children: [] }, undefined);
}

/** `.name = value`. The cursor is at the name. After a mistake, it moves to the next statement. */
function parseProp(cursor: Cursor, name: string): PropSpec {
  const token = cursor.take();
  const value = parseAssigned(cursor, name, token);
  if (value === undefined) cursor.skipToStatement();
  const span = cursor.span(token, cursor.taken);
  return { name, nameSpan: cursor.span(token, token), value: value ?? { type: "unread", span }, span };
}

/** The part after the name. */
function parseAssigned(cursor: Cursor, name: string, token: Token): ValueSpec | undefined {
  if (!cursor.is("=")) {
    cursor.expected('"="', `a property is written .${name} = value`);
    if (!cursor.is(":")) return undefined;
  }
  cursor.take();
  if (cursor.atStatement() && !cursor.endsBroken) {
    cursor.report(`.${name} has no value`, { at: token });
    return undefined;
  }
  return parseValue(cursor);
}

/** Skips an unexpected token at the start of a statement. */
function parseStranger(cursor: Cursor, into: Body): void {
  const behind = cursor.taken;
  reportStranger(cursor);
  const isComma = cursor.is(",");
  if (!cursor.is("{")) cursor.take();
  if (cursor.atStatement()) return;
  // It may be the rest of a value.
  const last = into.props.at(-1);
  if (last?.span.end === behind.end) {
    into.props[into.props.length - 1] = { ...last, value: { type: "unread", span: last.span } };
  }
  if (isComma) return;
  into.isUnread = true;
  cursor.skipToStatement();
}

/** Reports an unexpected token at the start of a statement. */
function reportStranger(cursor: Cursor): void {
  const { kind } = cursor.token;
  const before = cursor.taken.kind;
  let hint: string | undefined;
  if (kind === ",") hint = "nothing stands between properties: leave the comma out";
  else if (kind === "string")
    hint = before === "string" ? "strings are joined by +" : "a sign is missing before the name";
  else if (kind === "(" || kind === "[") hint = "a value belongs to a property: .name = value";
  else if (kind === "variable") hint = "a condition stands behind a sign: rule $path == …";
  cursor.unexpected("a property, a component or an include", hint);
}

function expectBody(cursor: Cursor, sign: Token, condition: ConditionSpec | undefined): void {
  if (condition !== undefined) cursor.expected('"&&", "||" or "{"', joinHint(cursor));
  else if (cursor.is("string")) cursor.expected('"{"', "a component has one name");
  else if (cursor.is("word") && cursor.text(cursor.token) === "not") cursor.expected('"{"', negationHint);
  else cursor.expected('"{"', `a component has a body, even if it is empty: ${cursor.text(sign)} {}`);
}

/**
 * At the end of the text: finds the brace that is open. A brace whose closing brace is further left is a better guess
 * than the last one.
 */
function reportUnclosed(parsing: Parsing, open: Token): void {
  const { cursor, text } = parsing;
  if (parsing.bracesReported === true || cursor.endsBroken) return;
  parsing.bracesReported = true;
  const guess = parsing.blocks.find((block) => isIndented(text, block, (close, opened) => close < opened));
  cursor.report("this { lacks its closing }", {
    at: guess?.open ?? open,
    hint: guess && `by its place, the } on line ${lineAt(text, guess.close.start)} closes another`,
  });
}

/** A surplus brace closes a block too early, and the rest of the text is left over. */
function reportSurplus(parsing: Parsing, at: Token, message: string): void {
  const { cursor, text } = parsing;
  if (parsing.bracesReported === true) return;
  parsing.bracesReported = true;
  const guess = parsing.blocks.find((block) => isIndented(text, block, (close, opened) => close > opened));
  const hint = guess && `the } on line ${lineAt(text, guess.close.start)} may be one too many`;
  cursor.report(message, { at, hint });
}

/**
 * Compares the indentation of a closing brace that starts its line with the indentation of the line where the block
 * opens.
 */
function isIndented(
  text: string,
  block: { readonly open: Token; readonly close: Token },
  compare: (close: number, open: number) => boolean,
): boolean {
  const close = indentBefore(text, block.close.start);
  return close !== undefined && compare(close, indentOfLine(text, block.open.start));
}
