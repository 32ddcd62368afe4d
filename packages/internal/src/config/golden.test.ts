// Each golden file holds a configuration, a line of dashes, and the tree that it must become, or the exact errors.
// A line `>>> path` begins an included file. With UPDATE_GOLDEN=1 what stands below the dashes is written anew.

import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { problemsText } from "./config-error.ts";
import { loadConfig } from "./load.ts";
import type { ComponentSpec, ConditionSpec, ValueSpec } from "./spec.ts";

const folder = path.join(import.meta.dirname, "golden");
const dashes = `${"-".repeat(100)}\n`;

describe("golden configurations", () => {
  test.each(globSync("*.txt", { cwd: folder }).sort())("%s is read as written down", async (name) => {
    const location = path.join(folder, name);
    const [input = "", expected = ""] = readFileSync(location, "utf8").split(dashes);
    const [text = "", ...included] = input.split(/^>>> /m);
    const files = new Map(
      included.map((section): [string, string] => {
        const [firstLine = ""] = section.split("\n", 1);
        return [path.resolve("/base", firstLine), section.slice(firstLine.length + 1)];
      }),
    );
    const { spec, problems } = await loadConfig({
      file: "/base/main.conf",
      baseDir: "/base",
      files: {
        read: async (wanted) => {
          const found = wanted === "/base/main.conf" ? text : files.get(wanted);
          if (found === undefined) throw new Error("there is no such file");
          return found;
        },
        glob: async (pattern) =>
          [...files.keys()].filter((file) => path.matchesGlob(file, path.resolve("/base", pattern))),
      },
    });
    const actual =
      problems.length > 0 ? problemsText(problems) : spec === undefined ? "nothing" : tree(spec).join("\n");
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(location, `${input}${dashes}${actual}\n`);
    else expect(`${actual}\n`).toBe(expected);
  });
});

/** Every node with its type, so that a misread one cannot hide behind how it is written. */
function tree({ sign, name, condition, props, children }: ComponentSpec): string[] {
  return [
    `${sign}${name === undefined ? "" : ` ${JSON.stringify(name)}`}${condition === undefined ? "" : ` if ${when(condition)}`}`,
    ...[...props.map((prop) => `.${prop.name} = ${value(prop.value)}`), ...children.flatMap(tree)].map(
      (line) => `  ${line}`,
    ),
  ];
}

function value(spec: ValueSpec): string {
  switch (spec.type) {
    case "list":
      return `list(${spec.items.map(value).join(", ")})`;
    case "dict":
      return `dict(${spec.entries.map((entry) => `${JSON.stringify(entry.key)}: ${value(entry.value)}`).join(", ")})`;
    case "concat":
      return `concat(${spec.parts.map(value).join(", ")})`;
    case "env":
      return `env(${spec.variable}, ${spec.fallback === undefined ? "nothing" : JSON.stringify(spec.fallback)})`;
    case "constant":
    case "reference":
    case "variable":
      return `${spec.type}(${spec.name})`;
    case "unread":
      return "unread";
    default:
      return `${spec.type}(${JSON.stringify(spec.value)})`;
  }
}

function when(condition: ConditionSpec): string {
  switch (condition.type) {
    case "and":
    case "or":
      return `${condition.type}(${condition.operands.map(when).join(", ")})`;
    case "not":
      return `not(${when(condition.operand)})`;
    case "compare":
      return `${condition.variable} ${condition.operator} ${value(condition.pattern)}`;
    case "presence":
      return `${condition.variable} ${condition.operator}`;
    case "fileTest": {
      const { operator, file } = condition;
      return file === undefined ? `path ${operator}` : `${operator} ${value(file)}`;
    }
    case "unread":
      return "unread";
  }
}
