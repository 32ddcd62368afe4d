// A condition of a rule or case: its resolved form, compiled once to closures over a table of variables.

import type { CompareOperator, FileTestOperator, PresenceOperator } from "../config/spec.ts";
import { HemiError } from "../errors/hemi-error.ts";
import { addressSet } from "./props/addresses.ts";
import type { Template } from "./template.ts";
import type { VariableReader, VariableTable } from "./variables.ts";

/** A condition whose patterns are resolved to plain strings. */
export type Condition =
  /** All of them; of none: true. */
  | { readonly type: "and"; readonly operands: readonly Condition[] }
  /** Any of them; of none: false. */
  | { readonly type: "or"; readonly operands: readonly Condition[] }
  | { readonly type: "not"; readonly operand: Condition }
  | {
      readonly type: "compare";
      /** Without the dollar. */
      readonly variable: string;
      readonly operator: CompareOperator;
      /** Any of them; for a negated operator: none of them. */
      readonly patterns: readonly string[];
    }
  | {
      readonly type: "presence";
      /** Without the dollar. */
      readonly variable: string;
      readonly operator: PresenceOperator;
    }
  | ({ readonly type: "fileTest" } & FileTest);

/** A test of a file, whose path is absolute. */
export interface FileTest {
  readonly operator: FileTestOperator;
  /** Default: the file that the subject's `$path` names. */
  readonly template?: Template | undefined;
}

/**
 * True if the subject matches. A promise only if a file test had to wait; a rejected one means that the test itself
 * failed.
 */
export type CompiledCondition<Subject> = (subject: Subject) => boolean | Promise<boolean>;

/**
 * Compiles a file test for one sort of subject. Negated operators (`!f`, `!d`, `!e`) are its own to answer. Throws a
 * HemiError where files of `$path` are not known.
 */
export type FileTests<Subject> = (test: FileTest) => CompiledCondition<Subject>;

/**
 * Compiles a condition. Operands are tried in order and only as far as needed; nothing is allocated while serving, but
 * by file tests that wait. Throws a HemiError (HEMI_CONFIG_CONDITION) for an unknown variable, a broken regular
 * expression, and for a file test where the subject has none.
 */
export function compileCondition<Subject>(
  condition: Condition,
  table: VariableTable<Subject>,
  fileTests?: FileTests<Subject>,
): CompiledCondition<Subject> {
  switch (condition.type) {
    case "and":
      return chain(
        condition.operands.map((operand) => compileCondition(operand, table, fileTests)),
        false,
      );
    case "or":
      return chain(
        condition.operands.map((operand) => compileCondition(operand, table, fileTests)),
        true,
      );
    case "not":
      return negate(compileCondition(condition.operand, table, fileTests));
    case "compare":
      return compileCompare(condition, table);
    case "presence": {
      const isThere = presenceOf(condition.variable, table);
      return condition.operator === "exists" ? isThere : (subject) => !isThere(subject);
    }
    case "fileTest": {
      if (fileTests !== undefined) return fileTests(condition);
      throw new HemiError("HEMI_CONFIG_CONDITION", `the file test ${condition.operator} has no meaning here`);
    }
  }
}

/**
 * Compiles one pattern of `~=`, `~*` and their negations. Throws a HemiError that says what is wrong with it. A dot
 * matches line ends, too: otherwise `/admin/%0A` would get past `^/admin/.*$`.
 */
export function compilePattern(pattern: string, operator: CompareOperator = "~="): RegExp {
  try {
    return new RegExp(pattern, operator.endsWith("*") ? "isu" : "su");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_CONFIG_CONDITION", reason, { cause });
  }
}

/** Tries the operands until one answers `decisive`, which is then the answer: `true` for "or", `false` for "and". */
function chain<Subject>(
  operands: readonly CompiledCondition<Subject>[],
  decisive: boolean,
): CompiledCondition<Subject> {
  const [first, second] = operands;
  if (first === undefined) return () => !decisive;
  const rest = operands.length === 2 && second !== undefined ? second : chain(operands.slice(1), decisive);
  if (second === undefined) return first;
  return function tryInOrder(subject) {
    const answer = first(subject);
    if (typeof answer === "boolean") return answer === decisive ? decisive : rest(subject);
    return answer.then((answer) => (answer === decisive ? decisive : rest(subject)));
  };
}

function negate<Subject>(condition: CompiledCondition<Subject>): CompiledCondition<Subject> {
  return function not(subject) {
    const answer = condition(subject);
    return typeof answer === "boolean" ? !answer : answer.then((answer) => !answer);
  };
}

function compileCompare<Subject>(
  { operator, variable, patterns }: Condition & { readonly type: "compare" },
  table: VariableTable<Subject>,
): (subject: Subject) => boolean {
  const read = readerOf(variable, table);
  const { noteMatch } = table;
  if (noteMatch !== undefined && (operator === "~=" || operator === "~*") && patterns.some(hasNamedGroup)) {
    const expressions = patterns.map((pattern) => compilePattern(pattern, operator));
    return function matchesAndNotes(subject) {
      const value = read(subject);
      for (const expression of expressions) {
        const match = expression.exec(value);
        if (match === null) continue;
        if (match.groups !== undefined) noteMatch(subject, variable, match.groups);
        return true;
      }
      return false;
    };
  }
  const matches = matcher(operator, patterns);
  return isNegated(operator) ? (subject) => !matches(read(subject)) : (subject) => matches(read(subject));
}

/**
 * Whether parts of what it matches have names, `(?<id>…)`. It may stand in a class of characters: then nothing is
 * noted.
 */
function hasNamedGroup(pattern: string): boolean {
  return /\(\?<[^=!]/.test(pattern);
}

/** `!=`, `!^`, `!$`, `!*`, `!~`, `!~*`, `!in`: none of the patterns matches. */
export function isNegated(operator: CompareOperator): boolean {
  return operator.startsWith("!");
}

/** Does a value match any of the patterns, by the operator without its negation? */
export function matcher(operator: CompareOperator, patterns: readonly string[]): (value: string) => boolean {
  switch (operator) {
    case "==":
    case "!=": {
      const [only] = patterns;
      if (only !== undefined && patterns.length === 1) return (value) => value === only;
      const set = new Set(patterns);
      return (value) => set.has(value);
    }
    case "^=":
    case "!^":
      return anyOf(patterns, (pattern) => (value) => value.startsWith(pattern));
    case "$=":
    case "!$":
      return anyOf(patterns, (pattern) => (value) => value.endsWith(pattern));
    case "*=":
    case "!*":
      return anyOf(patterns, (pattern) => (value) => value.includes(pattern));
    case "~=":
    case "!~":
    case "~*":
    case "!~*":
      return anyOf(patterns, (pattern) => {
        const expression = compilePattern(pattern, operator);
        return (value) => expression.test(value);
      });
    case "in":
    case "!in": {
      const set = addressSet(patterns);
      return (value) => set.contains(value);
    }
  }
}

function anyOf(
  patterns: readonly string[],
  make: (pattern: string) => (value: string) => boolean,
): (value: string) => boolean {
  const tests = patterns.map(make);
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return function matchesAny(value) {
    for (const matches of tests) if (matches(value)) return true;
    return false;
  };
}

/** Variables whose table cannot tell are there unless they are empty. */
function presenceOf<Subject>(variable: string, table: VariableTable<Subject>): (subject: Subject) => boolean {
  const read = readerOf(variable, table);
  return table.presence?.(variable) ?? ((subject) => read(subject) !== "");
}

/** Throws a HemiError (HEMI_CONFIG_CONDITION) for an unknown variable. */
export function readerOf<Subject, Value>(
  variable: string,
  table: VariableTable<Subject, Value>,
): VariableReader<Subject, Value> {
  const reader = table.find(variable);
  if (reader === undefined) {
    throw new HemiError("HEMI_CONFIG_CONDITION", `there is no variable $${variable} here`);
  }
  return reader;
}
