// Reads the condition of a rule or case. Checks that its variables exist, its patterns are texts, and its file tests
// have a folder.

import type { ConditionSpec, Span } from "../../config/spec.ts";
import { compilePattern } from "../condition.ts";
import type { Condition } from "../condition.ts";
import { quote } from "../../config/quote.ts";
import { isNetwork } from "../props/addresses.ts";
import { didYouMeanVariable } from "../did-you-mean.ts";
import { describeKind } from "../kind.ts";
import type { Kind } from "../kind.ts";
import type { Value } from "../value.ts";
import { describeConfigValue } from "../value.ts";
import type { Place } from "./place.ts";
import { describePlace } from "./place.ts";
import type { Problems } from "./problems.ts";
import type { Values } from "./values.ts";

/** The input for reading a condition. */
export interface ConditionScope {
  readonly place: Place;
  readonly kind: Kind;
  readonly values: Values;
  readonly problems: Problems;
  /** Whether the component has no value for this prop, neither valid nor invalid. */
  readonly lacks: (prop: string) => boolean;
}

/** Returns `undefined` if the condition is invalid; the error is reported. */
export function readCondition(spec: ConditionSpec, scope: ConditionScope): Condition | undefined {
  switch (spec.type) {
    case "and":
    case "or": {
      const operands = spec.operands.map((operand) => readCondition(operand, scope));
      const right = operands.filter((operand) => operand !== undefined);
      return right.length === operands.length ? { type: spec.type, operands: right } : undefined;
    }
    case "not": {
      const operand = readCondition(spec.operand, scope);
      return operand && { type: "not", operand };
    }
    case "compare":
      return readCompare(spec, scope);
    case "fileTest":
      return readFileTest(spec, scope);
    case "unread":
      return undefined;
  }
}

function readCompare(spec: ConditionSpec & { type: "compare" }, scope: ConditionScope): Condition | undefined {
  const { variable, variableSpan, operator, pattern } = spec;
  const { kind, place, values } = scope;
  let isRight = true;
  if (kind.variables?.find(variable) === undefined) {
    isRight = false;
    const hint = didYouMeanVariable(variable, kind.variables);
    report(scope, variableSpan, `there is no variable $${variable} in ${describeKind(kind)}`, hint);
  }
  const foreign = isRight ? kind.variables?.foreign?.(variable) : undefined;
  if (foreign !== undefined) {
    const message = `${describePlace(place)}: $${variable} is not here what it is in nginx`;
    scope.problems.doubt(place, { span: variableSpan, message, hint: foreign });
  }
  const value = values.of(pattern, place);
  if (value === undefined) return undefined;
  const patterns = textsOf(value, scope);
  for (const { text, span } of patterns ?? []) {
    const fault = faultOfPattern(spec, text);
    if (fault === undefined) continue;
    isRight = false;
    report(scope, span, fault.message, fault.hint);
  }
  if (!isRight || patterns === undefined) return undefined;
  return { type: "compare", variable, operator, patterns: patterns.map(({ text }) => text) };
}

function faultOfPattern(
  { operator, variable }: ConditionSpec & { type: "compare" },
  text: string,
): { readonly message: string; readonly hint?: string } | undefined {
  switch (operator) {
    case "~=":
    case "!~":
    case "~*":
    case "!~*":
      try {
        compilePattern(text, operator);
        return undefined;
      } catch (error) {
        return { message: error instanceof Error ? error.message : String(error) };
      }
    case "in":
    case "!in":
      return isNetwork(text)
        ? undefined
        : { message: `${quote(text)} is no network such as "10.0.0.0/8", and no address` };
    case "==":
    case "!=": {
      if (!text.includes("/") || !isNetwork(text)) return undefined;
      const wanted = operator === "==" ? "in" : "!in";
      const message = `${quote(text)} is a network, and ${operator} compares texts`;
      return { message, hint: `write $${variable} ${wanted} ${quote(text)}` };
    }
    default:
      return undefined;
  }
}

function readFileTest(spec: ConditionSpec & { type: "fileTest" }, scope: ConditionScope): Condition | undefined {
  const { operator, span } = spec;
  const { fileTestsIn } = scope.kind;
  if (fileTestsIn === undefined)
    report(scope, span, `${describeKind(scope.kind)} has no file tests such as ${operator}`);
  else if (!scope.lacks(fileTestsIn)) return { type: "fileTest", operator };
  else report(scope, span, `${operator} needs .${fileTestsIn}, which is not set`, "set it here or further out");
  return undefined;
}

interface PatternText {
  readonly text: string;
  readonly span: Span;
}

function textsOf(value: Value, scope: ConditionScope): readonly PatternText[] | undefined {
  const items = value.type === "list" ? value.items : [value];
  const texts: PatternText[] = [];
  for (const item of items) {
    if (item.type === "string") texts.push({ text: item.value, span: item.span });
    else report(scope, item.span, `a pattern is a string or a list of strings, not ${describeConfigValue(item)}`);
  }
  return texts.length === items.length ? texts : undefined;
}

function report({ place, problems }: ConditionScope, span: Span, message: string, hint?: string): void {
  problems.add(place, { code: "HEMI_CONFIG_CONDITION", span, message: `${describePlace(place)}: ${message}`, hint });
}
