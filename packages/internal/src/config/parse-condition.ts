// The condition of a rule or case. Each function reports what is wrong and then gives `undefined`, with the cursor
// anywhere.

import type { Cursor } from "./cursor.ts";
import { articled, parseValue } from "./parse-value.ts";
import {
  compareOperators,
  fileTestOperators,
  presenceOperators,
  type CompareOperator,
  type ConditionSpec,
  type UnreadSpec,
  type ValueSpec,
} from "./spec.ts";

export const negationHint = "a negation is written !( … )";

/** Does a condition begin here? */
export function atCondition(cursor: Cursor): boolean {
  return cursor.is("variable") || cursor.is("operator") || cursor.is("!") || cursor.is("(");
}

/** Operands joined by `||`; `&&` binds tighter. */
export function parseCondition(cursor: Cursor): ConditionSpec | undefined {
  return parseJoined(cursor, "||", "or", () => parseJoined(cursor, "&&", "and", () => parseOperand(cursor)));
}

function parseJoined(
  cursor: Cursor,
  joint: "||" | "&&",
  type: "or" | "and",
  parseOne: () => ConditionSpec | undefined,
): ConditionSpec | undefined {
  const first = parseOne();
  if (first === undefined || !cursor.is(joint)) return first;
  const operands = [first];
  while (cursor.is(joint)) {
    cursor.take();
    const operand = parseOne();
    if (operand === undefined) return undefined;
    operands.push(operand);
  }
  return { type, operands, span: cursor.span(first.span, cursor.taken) };
}

function parseOperand(cursor: Cursor): ConditionSpec | undefined {
  if (cursor.is("variable")) return parseTest(cursor);
  if (cursor.is("operator")) return parseFileTest(cursor);
  if (cursor.is("(")) return parseGroup(cursor);
  if (!cursor.is("!")) {
    cursor.expected("a condition", "a condition is written $variable operator pattern");
    return undefined;
  }
  const not = cursor.take();
  if (!cursor.is("(")) {
    cursor.expected('"("', negationHint);
    return undefined;
  }
  const operand = parseGroup(cursor);
  return operand && { type: "not", operand, span: cursor.span(not, cursor.taken) };
}

function parseGroup(cursor: Cursor): ConditionSpec | undefined {
  const open = cursor.token;
  return cursor.nest(() => {
    cursor.take();
    const condition = parseCondition(cursor);
    if (condition === undefined) return undefined;
    if (cursor.is(")")) {
      cursor.take();
      return condition;
    }
    if (cursor.is("{") || cursor.atStatement()) cursor.report("this ( lacks its closing )", { at: open });
    else cursor.expected('"&&", "||" or ")"', joinHint(cursor));
    return undefined;
  });
}

/** For the reader who writes `and` or `or`. */
export function joinHint(cursor: Cursor): string | undefined {
  if (!cursor.is("word")) return undefined;
  const word = cursor.text(cursor.token).toLowerCase();
  if (word === "and") return "did you mean && ?";
  return word === "or" ? "did you mean || ?" : undefined;
}

/** `-f "maintenance.html"`, or a template in the place of the text. */
function parseFileTest(cursor: Cursor): ConditionSpec | undefined {
  const operatorToken = cursor.take();
  const operator = fileTestOperators.find((known) => known === cursor.text(operatorToken));
  const file = parseValue(cursor);
  if (operator === undefined || file === undefined) return undefined;
  return { type: "fileTest", operator, file, span: cursor.span(operatorToken, cursor.taken) };
}

/** `$variable operator pattern`, `$variable exists` or `$path -f`. */
function parseTest(cursor: Cursor): ConditionSpec | undefined {
  const variableToken = cursor.take();
  const variable = cursor.name(variableToken);
  const variableSpan = cursor.span(variableToken, variableToken);
  if (cursor.is("[")) {
    cursor.report(`$${variable} takes no [ ]: its names stand behind a _`, { hint: memberHint(cursor, variable) });
    cursor.skipGroup();
    return undefined;
  }
  if (!cursor.is("operator")) {
    cursor.expected(
      "an operator",
      `operators are ${[...compareOperators, ...presenceOperators].join(" ")}, and for $path ${fileTestOperators.join(" ")}`,
    );
    return undefined;
  }
  const operatorToken = cursor.take();
  const operator = cursor.text(operatorToken);
  const span = cursor.span(variableToken, operatorToken);
  const presence = presenceOperators.find((known) => known === operator);
  if (presence !== undefined) return { type: "presence", variable, variableSpan, operator: presence, span };
  const fileTest = fileTestOperators.find((known) => known === operator);
  if (fileTest !== undefined) {
    if (variable === "path") return { type: "fileTest", operator: fileTest, file: undefined, span };
    cursor.report(`${operator} tests the file of $path, not $${variable}`, {
      code: "HEMI_CONFIG_CONDITION",
      hint: `another file is tested by ${operator} "/srv/" + $${variable}`,
      at: variableToken,
    });
    return undefined;
  }
  const compare = compareOperators.find((known): known is CompareOperator => known === operator);
  const pattern = parseValue(cursor);
  if (compare === undefined || pattern === undefined) return undefined;
  const stranger = notText(pattern);
  if (stranger !== undefined) {
    cursor.report(`a pattern is text or a list of texts, not ${articled[stranger.type]}`, {
      hint:
        stranger.type === "variable" ? "patterns are fixed when the configuration is read" : "text stands in quotes",
      code: "HEMI_CONFIG_CONDITION",
      at: stranger.span,
    });
    return undefined;
  }
  return {
    type: "compare",
    variable,
    variableSpan,
    operator: compare,
    pattern,
    span: cursor.span(variableToken, cursor.taken),
  };
}

/** For `$header["user-agent"]`, as other languages write it: `write $header_user_agent`. */
function memberHint(cursor: Cursor, variable: string): string | undefined {
  const name = cursor.nextString() ?? "";
  return /^[\w-]+$/.test(name) ? `write $${variable}_${name.toLowerCase().replaceAll("-", "_")}` : undefined;
}

/** The first part of a pattern that can be no text; a reference may turn out to be a list. */
function notText(pattern: ValueSpec): Exclude<ValueSpec, UnreadSpec> | undefined {
  switch (pattern.type) {
    case "list":
      return pattern.items
        .map((item) => (item.type === "list" ? item : notText(item)))
        .find((item) => item !== undefined);
    case "concat":
      return pattern.parts.map(notText).find((part) => part !== undefined);
    case "string":
    case "constant":
    case "env":
    case "reference":
    case "unread":
      return undefined;
    default:
      return pattern;
  }
}
