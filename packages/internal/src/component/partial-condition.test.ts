import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCondition, type Condition } from "./condition.ts";
import { compilePartialCondition, more } from "./partial-condition.ts";
import { variableTable } from "./variables.ts";

type Value = string | typeof more;
const names = ["a", "b", "c"] as const;
type Facts = Readonly<Record<(typeof names)[number], Value>>;

const known = variableTable<Readonly<Record<string, string>>>(
  Object.fromEntries(names.map((name) => [name, (facts) => facts[name] ?? ""])),
);
const partial = variableTable<Facts, Value>(
  Object.fromEntries(names.map((name) => [name, (facts: Facts) => facts[name]])),
);

const is = (variable: string, pattern: string): Condition => ({
  type: "compare",
  variable,
  operator: "==",
  patterns: [pattern],
});
const facts: Facts = { a: "x", b: more, c: "y" };

test.each<[string, Condition, boolean | typeof more]>([
  ["what is known decides", is("a", "x"), true],
  ["what is not known needs more", is("b", "x"), more],
  ["its negation does, too", { type: "not", operand: is("b", "x") }, more],
  ["no of one decides an and", { type: "and", operands: [is("b", "x"), is("c", "x")] }, false],
  ["yes of one does not", { type: "and", operands: [is("a", "x"), is("b", "x")] }, more],
  ["yes of one decides an or", { type: "or", operands: [is("b", "x"), is("c", "y")] }, true],
  ["no of one does not", { type: "or", operands: [is("b", "x"), is("c", "x")] }, more],
  ["an empty and matches all", { type: "and", operands: [] }, true],
])("%s", (_name, condition, answer) => {
  expect(compilePartialCondition(condition, partial)(facts)).toBe(answer);
});

test("an answer given early is the one that is given when all is known", () => {
  const value = fc.constantFrom("x", "y");
  const leaf = fc
    .tuple(fc.constantFrom(...names), fc.constantFrom("==", "!=", "^=", "!^"), value)
    .map(([variable, operator, pattern]): Condition => ({ type: "compare", variable, operator, patterns: [pattern] }));
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.record({ type: fc.constant("not" as const), operand: tie("condition") }),
      fc.record({ type: fc.constantFrom("and" as const, "or" as const), operands: fc.array(tie("condition")) }),
    ),
  }));
  const whole = fc.record({ a: value, b: value, c: value });
  fc.assert(
    fc.property(condition, whole, fc.subarray([...names]), (condition, whole, missing) => {
      const answer = compileCondition(condition, known)(whole);
      const early = compilePartialCondition(
        condition,
        partial,
      )({
        ...whole,
        ...Object.fromEntries(missing.map((name) => [name, more])),
      });
      if (early !== more) expect(early).toBe(answer);
      if (missing.length === 0) expect(early).toBe(answer);
    }),
  );
});

test("a file test is refused: connections name no files", () => {
  expect(() => compilePartialCondition({ type: "fileTest", operator: "-f" }, partial)).toThrow("has no meaning here");
});
