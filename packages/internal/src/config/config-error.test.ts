import { describe, expect, test } from "vitest";
import { ConfigError } from "./config-error.ts";
import type { Problem } from "./problem.ts";
import { problemText } from "./problem-text.ts";
import type { SpecSource } from "./spec.ts";

function problem(source: SpecSource, start: number, end: number, more: Partial<Problem> = {}): Problem {
  const span = { source, start, end };
  return { code: "HEMI_CONFIG_BAD_VALUE", message: "it is wrong", hint: undefined, path: undefined, span, ...more };
}

describe("a problem", () => {
  test("shows its line, carets under its span, and the hint behind them", () => {
    const text = `${"\n".repeat(11)}        .hostname = ("shop.example")\n`;
    const start = text.indexOf(".");
    const shown = problemText(
      problem({ name: "conf/shop.conf", text }, start, start + 9, {
        code: "HEMI_CONFIG_UNKNOWN_PROP",
        message: 'webapp "shop" has no property "hostname"',
        hint: "did you mean .hostnames?",
      }),
    );
    expect(shown.split("\n")).toEqual([
      'conf/shop.conf:12:9 HEMI_CONFIG_UNKNOWN_PROP: webapp "shop" has no property "hostname"',
      '   12 |         .hostname = ("shop.example")',
      "      |         ^^^^^^^^^ did you mean .hostnames?",
    ]);
  });

  test.each([
    ["repeats tabs before the carets", "\ta\tbc", 3, 5, ["    1 | \ta\tbc", "      | \t \t^^"]],
    ["has one caret for an empty span", "ab", 1, 1, ["    1 | ab", "      |  ^"]],
    ["has a place at the end of the text", "ab\n", 3, 3, ["    2 |", "      | ^"]],
    ["has a place behind the end of the text", "ab", 9, 12, ["    1 | ab", "      |   ^"]],
    ["ends its carets with the first line", "ab\ncd", 1, 5, ["    1 | ab", "      |  ^"]],
    ["leaves the carriage return out", "ab\r\ncd", 0, 4, ["    1 | ab", "      | ^^"]],
    ["hides what would steer a terminal", "a\u001b[2J\u202eb", 0, 1, ["    1 | a\ufffd[2J\ufffdb", "      | ^"]],
  ])("%s", (_, text, start, end, lines) => {
    expect(
      problemText(problem({ name: "x", text }, start, end))
        .split("\n")
        .slice(1),
    ).toEqual(lines);
  });

  test.each([0, 60, 5000, 9990])(
    "shows only the surroundings in a line of ten thousand characters, at column %d",
    (start) => {
      const text = Array.from({ length: 10_000 }, (_, index) => String(index % 10)).join("");
      const [, line = "", carets = ""] = problemText(problem({ name: "x", text }, start, start + 5)).split("\n");
      expect(line.length).toBeLessThan(140);
      expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe(text.slice(start, start + 5));
    },
  );

  test("of a TypeScript object is shown at the component's path", () => {
    const source = { name: "<object>", text: undefined };
    expect(problemText(problem(source, 0, 0, { path: "webapp.shop", hint: "do this" })).split("\n")).toEqual([
      "webapp.shop HEMI_CONFIG_BAD_VALUE: it is wrong",
      "       do this",
    ]);
    expect(problemText(problem(source, 0, 0))).toBe("<object> HEMI_CONFIG_BAD_VALUE: it is wrong");
  });
});

describe("ConfigError", () => {
  const a = { name: "a", text: "abc\ndef" };
  const b = { name: "b", text: "abc\ndef" };

  test("sorts by source and position, and says everything once", () => {
    const error = new ConfigError([
      problem(b, 5, 6),
      problem(a, 4, 5),
      problem(b, 1, 2),
      problem(a, 4, 5),
      problem(a, 4, 5, { message: "it is worse" }),
    ]);
    expect(error.problems.map(({ span, message }) => `${span.source.name}${span.start} ${message}`)).toEqual([
      "b1 it is wrong",
      "b5 it is wrong",
      "a4 it is wrong",
      "a4 it is worse",
    ]);
    expect(error.message.split("\n").filter((line) => line.includes("HEMI_")).length).toBe(4);
    expect([error.name, error.code]).toEqual(["ConfigError", "HEMI_CONFIG_BAD_VALUE"]);
  });

  test("shows a hundred problems and counts the others", () => {
    const text = "x".repeat(250);
    const { message, problems } = new ConfigError(
      Array.from({ length: 250 }, (_, start) => problem({ name: "a", text }, start, start + 1)).map((one, _, all) => ({
        ...one,
        span: { ...one.span, source: all[0]?.span.source ?? one.span.source },
      })),
    );
    expect(problems.length).toBe(250);
    expect(message.split("\n").length).toBe(301);
    expect(message.endsWith("\nand 150 more")).toBe(true);
  });
});
