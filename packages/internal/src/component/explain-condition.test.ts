import fc from "fast-check";
import { expect, test } from "vitest";
import { compareOperators, fileTestOperators, presenceOperators, type FileTestOperator } from "../config/spec.ts";
import { compileCondition, type Condition, type FileTests } from "./condition.ts";
import { explainCondition, type ConditionWalk } from "./explain-condition.ts";
import { variableTable } from "./variables.ts";

interface Subject {
  readonly path: string;
  readonly method: string;
  /** What the tests of files say, and whether they take their time. */
  readonly files: Readonly<Partial<Record<FileTestOperator, boolean>>>;
  readonly isSlow: boolean;
}

const table = variableTable<Subject>({ path: ({ path }) => path, method: ({ method }) => method });
const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 3 });

const { condition } = fc.letrec<{ condition: Condition; term: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    tie("term"),
    fc.record({
      type: fc.constantFrom("and" as const, "or" as const),
      operands: fc.array(tie("condition"), { maxLength: 4 }),
    }),
    fc.record({ type: fc.constant("not" as const), operand: tie("condition") }),
  ),
  term: fc.oneof(
    fc.record({
      type: fc.constant("compare" as const),
      variable: fc.constantFrom("path", "method"),
      operator: fc.constantFrom(...compareOperators),
      patterns: fc.array(text, { maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant("presence" as const),
      variable: fc.constantFrom("path", "method"),
      operator: fc.constantFrom(...presenceOperators),
    }),
    fc.record({ type: fc.constant("fileTest" as const), operator: fc.constantFrom(...fileTestOperators) }),
  ),
}));

const subject: fc.Arbitrary<Subject> = fc.record({
  path: text,
  method: text,
  files: fc.record(Object.fromEntries(fileTestOperators.map((operator) => [operator, fc.boolean()]))),
  isSlow: fc.boolean(),
});

test("the explained answer is that of the compiled closure, and the same files are tested in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(condition, subject, async (condition, subject) => {
      const tests: FileTestOperator[] = [];
      const fileTests: FileTests<Subject> =
        ({ operator }) =>
        ({ files, isSlow }) => {
          tests.push(operator);
          const passes = files[operator] === true;
          return isSlow ? Promise.resolve(passes) : passes;
        };
      const serving = await compileCondition(condition, table, fileTests)(subject);
      const tested = tests.splice(0);
      const walk = await explainCondition(condition, { subject, table, fileTests });
      expect(walk.holds).toBe(serving);
      expect(tests).toEqual(tested);
      expect(shapeOf(walk)).toEqual(shapeOf(condition));
    }),
    { numRuns: 500 },
  );
});

test("terms that need not be looked at have no value, and of a list those that fit are named", async () => {
  const subject: Subject = { path: "/a/b", method: "GET", files: {}, isSlow: false };
  const condition: Condition = {
    type: "or",
    operands: [
      { type: "compare", variable: "path", operator: "!^", patterns: ["/x", "/a", "/a/"] },
      { type: "compare", variable: "path", operator: "==", patterns: ["/a/b"] },
      { type: "not", operand: { type: "compare", variable: "method", operator: "==", patterns: ["GET"] } },
    ],
  };
  expect(await explainCondition(condition, { subject, table })).toEqual({
    type: "or",
    holds: true,
    operands: [
      { ...condition.operands[0], value: "/a/b", fitting: ["/a", "/a/"], holds: false },
      { ...condition.operands[1], value: "/a/b", holds: true },
      { type: "not", operand: { ...at(condition.operands[2]), holds: undefined }, holds: undefined },
    ],
  });
});

function at(condition: Condition | undefined): Condition | undefined {
  return condition?.type === "not" ? condition.operand : undefined;
}

/** Types and operators, and nothing of what came of them. */
function shapeOf(condition: Condition | ConditionWalk): unknown {
  switch (condition.type) {
    case "and":
    case "or":
      return [condition.type, condition.operands.map(shapeOf)];
    case "not":
      return ["not", shapeOf(condition.operand)];
    case "compare":
      return [condition.variable, condition.operator, condition.patterns];
    case "presence":
      return [condition.variable, condition.operator];
    case "fileTest":
      return condition.operator;
  }
}
