// Evaluates a condition like its compiled closure, and records the comparison and the result of each term.

import type { CompareOperator, FileTestOperator, PresenceOperator } from "../config/spec.ts";
import { compileCondition, type Condition, type FileTest, type FileTests } from "./condition.ts";
import type { VariableTable } from "./variables.ts";

/** A condition with its result. `undefined`: not evaluated, because the result was already known. */
export type ConditionWalk =
  | {
      readonly type: "and" | "or";
      readonly operands: readonly ConditionWalk[];
      readonly holds: boolean | undefined;
    }
  | { readonly type: "not"; readonly operand: ConditionWalk; readonly holds: boolean | undefined }
  | {
      readonly type: "compare";
      /** Without the dollar sign. */
      readonly variable: string;
      /** Absent if it was not evaluated. */
      readonly value?: string;
      readonly operator: CompareOperator;
      readonly patterns: readonly string[];
      /** If there are several patterns: those that match the value, whether or not the operator is negated. */
      readonly fitting?: readonly string[];
      readonly holds: boolean | undefined;
    }
  | {
      readonly type: "presence";
      /** Without the dollar sign. */
      readonly variable: string;
      /** Absent if it was not evaluated. */
      readonly value?: string;
      readonly operator: PresenceOperator;
      readonly holds: boolean | undefined;
    }
  | {
      readonly type: "fileTest";
      readonly operator: FileTestOperator;
      /** `path`: the file that `$path` names; `template`: one that the condition names. */
      readonly of: "path" | "template";
      /** The tested file; absent if it was not tested, or if no file can have this path. */
      readonly file?: string;
      /** What the test found: `a file`, `a folder`, `nothing`, … */
      readonly found?: string;
      readonly holds: boolean | undefined;
    };

/** The subject on which a condition is evaluated. */
export interface ExplainedSubject<Subject> {
  readonly subject: Subject;
  readonly table: VariableTable<Subject>;
  readonly fileTests?: FileTests<Subject> | undefined;
  /** Returns the file that a file test inspects, and what it found. */
  readonly lookAt?: (test: FileTest) => Promise<{ readonly file?: string; readonly found: string }>;
}

/**
 * Each term is compiled separately, so its result comes from the closures that serve requests. This function only
 * follows their order.
 */
export async function explainCondition<Subject>(
  condition: Condition,
  on: ExplainedSubject<Subject>,
): Promise<ConditionWalk> {
  switch (condition.type) {
    case "and":
    case "or":
      return await explainChain(condition.type, condition.operands, on);
    case "not": {
      const operand = await explainCondition(condition.operand, on);
      return { type: "not", operand, holds: operand.holds === false };
    }
    case "compare": {
      const { patterns } = condition;
      const value = on.table.find(condition.variable)?.(on.subject) ?? "";
      const holds = await run(condition, on);
      if (patterns.length < 2) return { ...condition, value, holds };
      const fitting: string[] = [];
      const isNegated = condition.operator.startsWith("!");
      for (const pattern of patterns) {
        if ((await run({ ...condition, patterns: [pattern] }, on)) !== isNegated) fitting.push(pattern);
      }
      return { ...condition, value, fitting, holds };
    }
    case "presence": {
      const value = on.table.find(condition.variable)?.(on.subject) ?? "";
      return { ...condition, value, holds: await run(condition, on) };
    }
    case "fileTest":
      return { ...fileTestWalk(condition), holds: await run(condition, on), ...(await on.lookAt?.(condition)) };
  }
}

async function explainChain<Subject>(
  type: "and" | "or",
  conditions: readonly Condition[],
  on: ExplainedSubject<Subject>,
): Promise<ConditionWalk> {
  const decisive = type === "or";
  const operands: ConditionWalk[] = [];
  let holds = !decisive;
  for (const condition of conditions) {
    const operand = holds === decisive ? notLookedAt(condition) : await explainCondition(condition, on);
    if (operand.holds === decisive) holds = decisive;
    operands.push(operand);
  }
  return { type, operands, holds };
}

async function run<Subject>(condition: Condition, { table, fileTests, subject }: ExplainedSubject<Subject>) {
  return await compileCondition(condition, table, fileTests)(subject);
}

function fileTestWalk({ operator, template }: FileTest) {
  return { type: "fileTest", operator, of: template === undefined ? "path" : "template" } as const;
}

function notLookedAt(condition: Condition): ConditionWalk {
  switch (condition.type) {
    case "and":
    case "or":
      return { type: condition.type, operands: condition.operands.map(notLookedAt), holds: undefined };
    case "not":
      return { type: "not", operand: notLookedAt(condition.operand), holds: undefined };
    case "compare":
    case "presence":
      return { ...condition, holds: undefined };
    case "fileTest":
      return { ...fileTestWalk(condition), holds: undefined };
  }
}
