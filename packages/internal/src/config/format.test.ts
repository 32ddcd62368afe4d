import { readFileSync, globSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { formatConfig } from "./format.ts";

function formatted(...lines: string[]): string[] {
  const { text } = formatConfig(lines.join("\n"));
  return text === undefined ? ["not formatted"] : text.split("\n").slice(0, -1);
}

describe("formatConfig", () => {
  test("puts each statement on its own line, indented by four spaces", () => {
    expect(formatted('stage{.a=1 .b = "x"', 'webapp   "shop"{', "rule{}}}")).toEqual([
      "stage {",
      "    .a = 1",
      '    .b = "x"',
      '    webapp "shop" {',
      "        rule {}",
      "    }",
      "}",
    ]);
  });

  test("keeps a body on one line where it is written so and fits", () => {
    expect(formatted("stage {", "rule { static { .maxAge=1d } }", "}")).toEqual([
      "stage {",
      "    rule { static { .maxAge = 1d } }",
      "}",
    ]);
  });

  test("breaks what does not fit, and gives broken lists a trailing comma", () => {
    const long = '"a rather long piece of text"';
    expect(
      formatted("stage {", `.a = (${long}, ${long}, ${long}, ${long}) .b = ${long} + ${long} + ${long} + ${long}`, "}"),
    ).toEqual([
      "stage {",
      "    .a = (",
      ...Array.from({ length: 4 }, () => `        ${long},`),
      "    )",
      `    .b = ${long}`,
      ...Array.from({ length: 3 }, () => `        + ${long}`),
      "}",
    ]);
  });

  test("keeps a list broken that begins with a line end, and closes up another", () => {
    expect(formatted(".a = (", "1, 2)", ".b = (1,", "2,)")).toEqual([".a = (", "    1,", "    2,", ")", ".b = (1, 2)"]);
  });

  test("keeps single empty lines, none at the ends of a body", () => {
    expect(formatted("", "stage {", "", ".a = 1", "", "", "", ".b = 2", "", "}", "", "")).toEqual([
      "stage {",
      "    .a = 1",
      "",
      "    .b = 2",
      "}",
    ]);
  });

  test("keeps comments where they are: on their own lines, behind a statement, within one", () => {
    const lines = [
      "# head",
      "",
      "stage { // behind a brace",
      "    // above",
      "    .a = /* within */ 1 // behind",
      "    .b = (",
      "        // in a list",
      '        "x", # behind an item',
      '        "y" /* before a comma */,',
      "        // at its end",
      "    )",
      '    rule $a == "x" // behind an operand',
      '        && $b == "y" {',
      "        // alone",
      "    }",
      "    // last",
      "}",
      "// tail",
    ];
    expect(formatted(...lines)).toEqual(lines);
  });

  test("moves a line comment from the middle of a statement to its end", () => {
    expect(formatted(".a // why", "= 1")).toEqual([".a = 1 // why"]);
  });

  test("leaves strings and stream comments as they are, line ends included", () => {
    const text = 'stage {\n    .a = "x\r\n  y\t"\n    /* one\n two */\n}\n';
    expect(formatConfig(text).text).toBe(text);
  });

  test("takes a file that others include, an empty one, and one of comments only", () => {
    expect(formatted(".a=1 rule{} <x/*.conf> < y.conf >")).toEqual([".a = 1", "rule {}", "<x/*.conf>", "<y.conf>"]);
    expect(formatConfig(" \n").text).toBe("");
    expect(formatConfig("\n#  x  ").text).toBe("#  x\n");
  });

  test("does not touch a text with mistakes, but tells them", () => {
    const { text, problems } = formatConfig("stage { .a = }", "x.conf");
    expect(text).toBeUndefined();
    expect(problems.map(({ message, span }) => [message, span.source.name])).toEqual([[".a has no value", "x.conf"]]);
  });

  const folder = path.join(import.meta.dirname, "golden");
  test.each(globSync("*.txt", { cwd: folder }).sort())("changes nothing when it formats golden/%s twice", (name) => {
    const [input = ""] = readFileSync(path.join(folder, name), "utf8").split(/^(?:-{100}$|>>> )/m);
    const { text } = formatConfig(input);
    if (text !== undefined) expect(formatConfig(text).text).toBe(text);
  });
});
