import { describe, expect, test } from "vitest";
import type { CompareOperator, FileTestOperator } from "../config/spec.ts";
import { compileCondition, type Condition, type FileTests } from "./condition.ts";
import { variableTable } from "./variables.ts";

const table = variableTable<string>({ path: (path) => path, empty: () => "" });

function compare(operator: CompareOperator, ...patterns: string[]): Condition {
  return { type: "compare", variable: "path", operator, patterns };
}

const always: Condition = { type: "and", operands: [] };
const never: Condition = { type: "or", operands: [] };

describe("a comparison", () => {
  test.each<[CompareOperator, CompareOperator, string[], string, boolean]>([
    ["==", "!=", ["/a"], "/a", true],
    ["==", "!=", ["/a"], "/A", false],
    ["==", "!=", ["/a", "/b"], "/b", true],
    ["==", "!=", ["/a", "/b"], "/c", false],
    ["==", "!=", [], "/a", false],
    ["^=", "!^", ["/a"], "/ab", true],
    ["^=", "!^", ["/a"], "b/a", false],
    ["^=", "!^", ["/x", "/a"], "/ab", true],
    ["^=", "!^", [""], "/ab", true],
    ["$=", "!$", [".js"], "/a.js", true],
    ["$=", "!$", [".js"], "/a.jsx", false],
    ["$=", "!$", [".css", ".js"], "/a.js", true],
    ["*=", "!*", ["b"], "/abc", true],
    ["*=", "!*", ["x", "y"], "/abc", false],
    ["*=", "!*", [], "/abc", false],
    ["~=", "!~", ["^/\\d+$"], "/42", true],
    ["~=", "!~", ["^/\\d+$"], "/42\n", false],
    ["~=", "!~", ["x", "^.é.$"], "/é𝒳", true],
    ["~=", "!~", [], "/", false],
  ])("by %s, and by %s the other way round: %j of %j is %j", (operator, negated, patterns, subject, answer) => {
    expect(compileCondition(compare(operator, ...patterns), table)(subject)).toBe(answer);
    expect(compileCondition(compare(negated, ...patterns), table)(subject)).toBe(!answer);
  });

  test("by a regular expression gives the same answer each time", () => {
    const matches = compileCondition(compare("~=", "a"), table);
    expect([matches("aa"), matches("aa"), matches("b"), matches("aa")]).toEqual([true, true, false, true]);
  });

  test.each(["(", "[a", "\\", "*", "(?<n>a)(?<n>b)"])("with the broken regular expression %j is refused", (pattern) => {
    expect(() => compileCondition(compare("~=", "fine", pattern), table)).toThrow(
      expect.objectContaining({
        code: "HEMI_CONFIG_CONDITION",
        message: expect.stringContaining("Invalid regular expression"),
      }),
    );
  });

  test("of an unknown variable is refused", () => {
    const condition: Condition = { type: "compare", variable: "pth", operator: "==", patterns: ["/"] };
    expect(() => compileCondition(condition, table)).toThrow("there is no variable $pth here");
  });
});

describe("and, or, not", () => {
  test.each<[Condition, boolean]>([
    [always, true],
    [never, false],
    [{ type: "and", operands: [always] }, true],
    [{ type: "and", operands: [always, always, never] }, false],
    [{ type: "and", operands: [always, always, always] }, true],
    [{ type: "or", operands: [never, never, always] }, true],
    [{ type: "or", operands: [never, never] }, false],
    [{ type: "not", operand: always }, false],
    [
      {
        type: "or",
        operands: [
          { type: "and", operands: [always, never] },
          { type: "not", operand: never },
        ],
      },
      true,
    ],
  ])("%j is %j", (condition, answer) => {
    expect(compileCondition(condition, table)("/")).toBe(answer);
  });
});

describe("a file test", () => {
  const isFile: Condition = { type: "fileTest", operator: "-f" };

  /** Answers what the subject says, at once or later, and notes what it was asked. */
  function testerOf(asked: string[]): FileTests<string> {
    return ({ operator }) =>
      (subject) => {
        asked.push(`${subject} ${operator}`);
        if (subject === "broken") return Promise.reject(new Error("the disk is gone"));
        return subject.startsWith("later") ? Promise.resolve(subject === "later true") : subject === "true";
      };
  }

  test.each<FileTestOperator>(["-f", "-d", "-e", "-D", "-E", "!f", "!d", "!e"])("passes %s on as it is", (operator) => {
    const asked: string[] = [];
    expect(compileCondition({ type: "fileTest", operator }, table, testerOf(asked))("true")).toBe(true);
    expect(asked).toEqual([`true ${operator}`]);
  });

  test("is refused where subjects have no files", () => {
    expect(() => compileCondition(isFile, table)).toThrow("the file test -f has no meaning here");
  });

  test("that answers at once keeps the condition synchronous", () => {
    const condition: Condition = { type: "and", operands: [isFile, { type: "not", operand: never }] };
    expect(compileCondition(condition, table, testerOf([]))("true")).toBe(true);
    expect(compileCondition(condition, table, testerOf([]))("false")).toBe(false);
  });

  test.each<[Condition, string, boolean, number]>([
    [{ type: "and", operands: [never, isFile] }, "later true", false, 0],
    [{ type: "or", operands: [always, isFile] }, "later true", true, 0],
    [{ type: "and", operands: [isFile, always] }, "later true", true, 1],
    [{ type: "and", operands: [isFile, never, isFile] }, "later true", false, 1],
    [{ type: "and", operands: [isFile, isFile] }, "later false", false, 1],
    [{ type: "and", operands: [isFile, isFile] }, "later true", true, 2],
    [{ type: "or", operands: [isFile, isFile] }, "later true", true, 1],
    [{ type: "or", operands: [isFile, isFile] }, "later false", false, 2],
    [{ type: "not", operand: isFile }, "later true", false, 1],
  ])("is asked only as far as needed: %j", async (condition, subject, answer, times) => {
    const asked: string[] = [];
    const matches = compileCondition(condition, table, testerOf(asked));
    expect(await matches(subject)).toBe(answer);
    expect(asked.length).toBe(times);
  });

  test("that fails makes the condition fail", async () => {
    const matches = compileCondition({ type: "not", operand: isFile }, table, testerOf([]));
    await expect(matches("broken")).rejects.toThrow("the disk is gone");
  });
});
