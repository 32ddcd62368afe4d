import { describe, expect, test } from "vitest";
import { problemsText } from "./config-error.ts";
import { fromObject } from "./from-object.ts";
import { constant, env, join, ref, variable, type ConfigObject } from "./object.ts";
import { toText } from "../testing/config-text.ts";

/** What a program without types, or with a cast, may pass. */
function problemsOf(input: unknown): string[] {
  const { problems } = fromObject(input as ConfigObject);
  return problemsText(problems).split("\n");
}

function problemOfProp(value: unknown): string {
  return problemsOf({ sign: "stage", props: { x: value } }).join(" ~ ");
}

describe("fromObject", () => {
  test("makes the specs of the same configuration as text", () => {
    const { spec, problems } = fromObject({
      sign: "stage",
      props: { site: "shop.example" },
      children: [
        {
          sign: "webapp",
          name: "shop",
          props: {
            hostnames: [ref("site"), "*.shop.example"],
            webRoot: join(constant("baseDir"), "/web"),
            secret: env("SECRET"),
            greeting: join("hello, ", variable("srcHost"), env("MARK", "!")),
            options: { deep: [{ on: true }], timeout: "30s", size: 1024 },
            quotes: 'both " and `',
          },
          children: [
            { sign: "rule", when: '$path ^= ("/a", "/b") && !($method == "GET")', children: [{ sign: "static" }] },
          ],
        },
      ],
    });
    expect(problems).toEqual([]);
    expect(spec && toText(spec).split("\n")).toEqual([
      "stage {",
      '    .site = "shop.example"',
      '    webapp "shop" {',
      '        .hostnames = (.site, "*.shop.example")',
      '        .webRoot = %baseDir + "/web"',
      "        .secret = %env(SECRET)",
      '        .greeting = "hello, " + $srcHost + %env(MARK, "!")',
      '        .options = ["deep": (["on": true]), "timeout": "30s", "size": 1024]',
      '        .quotes = "both " + `" and ` + "`"',
      '        rule $path ^= ("/a", "/b") && !($method == "GET") {',
      "            static {}",
      "        }",
      "    }",
      "}",
      "",
    ]);
  });

  test.each([
    [1.5, ".x is 1.5 ~        numbers are integers from 0 to 9007199254740991"],
    [-1, ".x is -1 ~"],
    [NaN, ".x is NaN ~"],
    [2 ** 53, ".x is 9007199254740992 ~"],
    [undefined, ".x is undefined, which no configuration holds ~        leave it out"],
    [null, ".x is null, which"],
    [() => true, ".x is a function, which"],
    [Symbol("x"), ".x is a symbol, which"],
    [1n, ".x is a bigint, which"],
    [new Date(0), ".x is a Date, which"],
    [new Map(), ".x is a Map, which"],
    [["a", ["b", undefined]], ".x[1][1] is undefined"],
    [{ a: { "b c": () => 1 } }, '.x["a"]["b c"] is a function'],
    [{ 'a"`': 1 }, "has a key with both sorts of quotes"],
    [ref("a b"), '.x names "a b", which is no name'],
    [env("HOME", 'a"`'), "the default of env is text"],
    [JSON.parse("[".repeat(200) + "]".repeat(200)), "stands more than 100 levels deep"],
  ])("refuses a value: %o", (value, message) => {
    expect(problemOfProp(value)).toContain(`stage HEMI_CONFIG_BAD_VALUE: `);
    expect(problemOfProp(value)).toContain(message);
  });

  test("refuses the holes of a sparse list", () => {
    const sparse: unknown[] = ["a"];
    sparse[2] = "c";
    expect(problemOfProp(sparse)).toContain(".x[1] is undefined");
  });

  test("refuses what holds itself, but takes one object in two places", () => {
    const circle: Record<string, unknown> = {};
    circle["again"] = [circle];
    expect(problemOfProp(circle)).toContain('.x["again"][0] holds itself');
    const component: Record<string, unknown> = { sign: "rule" };
    component["children"] = [component];
    expect(problemsOf({ sign: "stage", children: [component] })[0]).toContain(
      "rule/rule HEMI_CONFIG_BAD_VALUE: this component holds itself",
    );
    const shared = { a: 1 };
    expect(problemOfProp([shared, shared])).toBe("");
  });

  test.each([
    [undefined, "stage HEMI_CONFIG_SYNTAX: undefined is no component"],
    [[], "stage HEMI_CONFIG_SYNTAX: a list is no component"],
    [{}, "stage HEMI_CONFIG_SYNTAX: the sign of a component is a word, not undefined"],
    [{ sign: "web app" }, 'the sign of a component is a word, not "web app"'],
    [{ sign: "webapp" }, 'a configuration begins with the sign "stage", not "webapp"'],
    [{ sign: "stage", name: "x" }, "HEMI_CONFIG_NAME: a stage has no name"],
    [{ sign: "stage", prop: {} }, 'a component has no "prop"'],
    [{ sign: "stage", props: [] }, '"props" is an object, not a list'],
    [{ sign: "stage", props: { ".x": 1 } }, '".x" is no name of a property'],
    [{ sign: "stage", children: {} }, '"children" is a list of components, not an object'],
    [{ sign: "stage", children: ["x"] }, "? HEMI_CONFIG_SYNTAX: text is no component"],
    [{ sign: "stage", children: [{ sign: "a", name: "" }] }, "a HEMI_CONFIG_NAME: a name is text"],
    [{ sign: "stage", children: [{ sign: "a", when: true }] }, '"when" is the text of a condition, not a boolean'],
  ])("refuses a component: %o", (input, message) => {
    expect(problemsOf(input).join("\n")).toContain(message);
  });

  test("names the component's path, counting unnamed siblings of a sign", () => {
    const bad = { sign: "rule", props: { x: null } };
    const [, , ...found] = problemsOf({
      sign: "stage",
      props: { x: null },
      children: [
        {
          sign: "webapp",
          name: "shop",
          children: [bad, { sign: "rule", name: "r" }, bad, { sign: "gzip", props: { x: null } }],
        },
      ],
    });
    expect(found.filter((line) => line.includes("HEMI")).map((line) => line.split(" ")[0])).toEqual([
      "webapp.shop/rule.1",
      "webapp.shop/rule.2",
      "webapp.shop/gzip",
    ]);
  });

  test("shows the mistakes of a condition with a caret", () => {
    expect(problemsOf({ sign: "stage", children: [{ sign: "rule", when: "$path = 'x'" }] }).slice(0, 3)).toEqual([
      'rule when:1:7 HEMI_CONFIG_CONDITION: there is no operator "="',
      "    1 | $path = 'x'",
      "      |       ^ did you mean == ?",
    ]);
  });

  test.each(["", "  ", "// nothing", "$a == ", '$a == "x" {', '$a == "x" $b == "y"', ")"])(
    "refuses %j as a condition",
    (when) => {
      expect(problemsOf({ sign: "stage", children: [{ sign: "rule", when }] })[0]).toContain("HEMI_CONFIG_SYNTAX");
    },
  );
});
