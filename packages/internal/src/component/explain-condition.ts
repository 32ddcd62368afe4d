// Works a condition out as its compiled closure does, and says at each term what was compared and what came of it.

import type { CompareOperator, FileTestOperator } from "../config/spec.ts";
import { compileCondition, type Condition, type FileTest } from "./condition.ts";
import type { VariableTable } from "./variables.ts";

/** A condition with what came of it. `undefined`: not looked at, the answer was known before. */
export type ConditionWalk =
  | {
      readonly type: "and" | "or";
      readonly operands: readonly ConditionWalk[];
      readonly holds: boolean | undefined;
    }
  | { readonly type: "not"; readonly operand: ConditionWalk; readonly holds: boolean | undefined }
  | {
      readonly type: "compare";
      /** Without the dollar. */
      readonly variable: string;
      /** Left out where it was not looked at. */
      readonly value?: string;
      readonly operator: CompareOperator;
      readonly patterns: readonly string[];
      /** Of several patterns, those that the value fits, whether or not the operator is negated. */
      readonly fitting?: readonly string[];
      readonly holds: boolean | undefined;
    }
  | {
      readonly type: "fileTest";
      readonly operator: FileTestOperator;
      /** Where it looked; left out where it was not looked at, or no file can have the path. */
      readonly file?: string;
      /** What is there: `a file`, `a folder`, `nothing`, … */
      readonly found?: string;
      readonly holds: boolean | undefined;
    };

/** What a condition is worked out on. */
export interface ExplainedSubject<Subject> {
  readonly subject: Subject;
  readonly table: VariableTable<Subject>;
  readonly fileTest?: FileTest<Subject> | undefined;
  /** Where a file test looks, and what is there. */
  readonly lookAt?: () => Promise<{ readonly file?: string; readonly found: string }>;
}

/** Each term is compiled and run by itself: the closures of serving say what it gives. Only their order is followed here. */
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
    case "fileTest":
      return { ...condition, holds: await run(condition, on), ...(await on.lookAt?.()) };
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

async function run<Subject>(condition: Condition, { table, fileTest, subject }: ExplainedSubject<Subject>) {
  return await compileCondition(condition, table, fileTest)(subject);
}

function notLookedAt(condition: Condition): ConditionWalk {
  switch (condition.type) {
    case "and":
    case "or":
      return { type: condition.type, operands: condition.operands.map(notLookedAt), holds: undefined };
    case "not":
      return { type: "not", operand: notLookedAt(condition.operand), holds: undefined };
    case "compare":
    case "fileTest":
      return { ...condition, holds: undefined };
  }
}
