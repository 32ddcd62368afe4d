// Reads the condition of a rule or case. Checks that its variables exist, its patterns are texts, and its file tests
// have a folder.

import { resolve } from "node:path";
import type { ConditionSpec, SourceSpan, ValueSpec } from "../../config/spec.ts";
import { compilePattern } from "../condition.ts";
import type { Condition } from "../condition.ts";
import { quote } from "../../config/quote.ts";
import { isNetwork } from "../props/addresses.ts";
import { didYouMeanVariable } from "../did-you-mean.ts";
import { describeKind } from "../kind.ts";
import type { Kind } from "../kind.ts";
import { templateOf, type Template } from "../template.ts";
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
    case "presence": {
      const { type, variable, variableSpan, operator } = spec;
      return isKnown(variable, variableSpan, scope) ? { type, variable, operator } : undefined;
    }
    case "fileTest":
      return readFileTest(spec, scope);
    case "unread":
      return undefined;
  }
}

function readCompare(spec: ConditionSpec & { type: "compare" }, scope: ConditionScope): Condition | undefined {
  const { variable, variableSpan, operator, pattern } = spec;
  let isRight = isKnown(variable, variableSpan, scope);
  const value = scope.values.of(pattern, scope.place);
  if (value === undefined) return undefined;
  const patterns = textsOf(value, scope);
  for (const { text, span } of patterns ?? []) {
    const fault = faultOfPattern(spec, text);
    if (fault === undefined) {
      if (isRight) doubt(scope, span, scope.kind.variables?.doubt?.(variable, operator, text));
      continue;
    }
    isRight = false;
    report(scope, span, fault.message, fault.hint);
  }
  if (!isRight || patterns === undefined) return undefined;
  return { type: "compare", variable, operator, patterns: patterns.map(({ text }) => text) };
}

/** Reports a variable that there is not, and one that other servers have for something else. */
function isKnown(variable: string, span: SourceSpan, scope: ConditionScope): boolean {
  const { kind } = scope;
  const { variables } = kind;
  if (variables?.find(variable) === undefined) {
    const hint = didYouMeanVariable(variable, variables);
    report(scope, span, `there is no variable $${variable} in ${describeKind(kind)}`, hint);
    return false;
  }
  const foreign = variables.foreign?.(variable);
  if (foreign !== undefined) {
    doubt(scope, span, { message: `$${variable} is not here what it is in nginx`, hint: foreign });
  }
  return true;
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
  const { operator, file, span } = spec;
  const { fileTestsIn } = scope.kind;
  if (fileTestsIn === undefined)
    report(scope, span, `${describeKind(scope.kind)} has no file tests such as ${operator}`);
  else if (file !== undefined) {
    const template = readFile(operator, file, scope);
    return template && { type: "fileTest", operator, template };
  } else if (!scope.lacks(fileTestsIn)) return { type: "fileTest", operator };
  else report(scope, span, `${operator} needs .${fileTestsIn}, which is not set`, "set it here or further out");
  return undefined;
}

/** The path of a tested file, made absolute like that of any prop. */
function readFile(operator: string, file: ValueSpec, scope: ConditionScope): Template | undefined {
  const { place, values } = scope;
  const value = values.of(file, place);
  if (value === undefined) return undefined;
  const baseDir = values.constants.get("baseDir") ?? "";
  if (value.type === "string" && value.value !== "") return templateOf([resolve(baseDir, value.value)]);
  if (value.type !== "template") {
    report(scope, value.span, `behind ${operator} stands the path of a file, not ${describeConfigValue(value)}`);
    return undefined;
  }
  const [first = "", ...others] = value.parts;
  if (typeof first !== "string" && others.length === 0 && first.variable === "path") {
    report(scope, value.span, `the file at $path is that below .webRoot`, `write $path ${operator}`);
    return undefined;
  }
  const known = value.parts.map((part) => typeof part === "string" || isKnown(part.variable, part.span, scope));
  if (known.includes(false)) return undefined;
  const isAbsolute = typeof first === "string" && first.startsWith("/");
  const parts = value.parts.map((part) => (typeof part === "string" ? part : { variable: part.variable }));
  return templateOf(isAbsolute ? parts : [`${baseDir}/`, ...parts]);
}

interface PatternText {
  readonly text: string;
  readonly span: SourceSpan;
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

function report({ place, problems }: ConditionScope, span: SourceSpan, message: string, hint?: string): void {
  problems.add(place, { code: "HEMI_CONFIG_CONDITION", span, message: `${describePlace(place)}: ${message}`, hint });
}

function doubt(
  { place, problems }: ConditionScope,
  span: SourceSpan,
  found: { readonly message: string; readonly hint: string } | undefined,
): void {
  if (found === undefined) return;
  problems.doubt(place, { span, message: `${describePlace(place)}: ${found.message}`, hint: found.hint });
}
