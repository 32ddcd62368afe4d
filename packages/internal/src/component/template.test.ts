import { describe, expect, test } from "vitest";
import { compileTemplate, templateOf, type TemplatePart } from "./template.ts";
import { variableTable } from "./variables.ts";

const table = variableTable<Readonly<Record<"a" | "b", string>>>({ a: ({ a }) => a, b: ({ b }) => b });
const [a, b] = [{ variable: "a" }, { variable: "b" }];

describe("template", () => {
  test("joins neighbouring strings, drops empty ones, and knows a constant", () => {
    expect(templateOf(["x", "", "y", a, "", b, "z"])).toEqual({ parts: ["xy", a, b, "z"], constant: undefined });
    expect(templateOf(["x", "y"])).toEqual({ parts: ["xy"], constant: "xy" });
    expect(templateOf([])).toEqual({ parts: [], constant: "" });
    expect(templateOf([a]).constant).toBeUndefined();
  });
});

describe("compileTemplate", () => {
  test.each<[TemplatePart[], string]>([
    [[], ""],
    [["text"], "text"],
    [[a], "1"],
    [["x", a], "x1"],
    [[a, "-", b], "1-2"],
    [["<", a, "-", b, ">"], "<1-2>"],
    [[a, a, a, a], "1111"],
  ])("works out %j", (parts, text) => {
    expect(compileTemplate(templateOf(parts), table)({ a: "1", b: "2" })).toBe(text);
  });

  test("throws for a variable that is not in the table", () => {
    expect(() => compileTemplate(templateOf(["x", { variable: "c" }]), table)).toThrow("there is no variable $c here");
  });
});
