import { writeFile, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ConfigError } from "../config/config-error.ts";
import { constant, join as joinText } from "../config/object.ts";
import { definer } from "./definer.ts";
import { addonKind, defineAddon } from "./kinds/addon.ts";
import { pack } from "../component/pack.ts";
import { prop } from "../component/prop.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { ProbePart, probeServerKind } from "../testing/engine.ts";
import { testEngine, probeWebappKind } from "../testing/engine.ts";

const greeter = definer(probeWebappKind)({
  sign: "greeter",
  props: {
    size: prop.size({ default: "1K" }),
    pause: prop.duration({ required: true }),
    where: prop.path(),
    names: prop.strings({ default: [] }),
    nodes: prop.list(prop.record({ weight: prop.integer() }), { default: [] }),
  },
  create: ({ props }) => ({
    greeting: `${props.size} ${props.pause} ${props.where}`,
    peer: undefined,
    composed: [],
    extra: 7,
  }),
});
const mine = pack("@mine/greeter", [greeter]);

async function textsOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((error: unknown) => error);
  if (error instanceof ConfigError) return error.message;
  throw new TypeError("no ConfigError", { cause: error });
}

describe("boot", () => {
  test("creates a component of a sign that the user has defined", async () => {
    const { bootText } = testEngine();
    await using stage = await bootText('stage { greeter "g" { .pause = 1s .where = "x" } }', {
      use: [mine],
      baseDir: "/base",
    });
    expect(stage.find("greeter.g")?.part).toMatchObject({ greeting: "1024 1000 /base/x" });
  });

  test("reads a file, and what it includes from the base directory", async () => {
    const { bootFile } = testEngine();
    await using dir = await mkdtempDisposable(join(tmpdir(), "hemi-boot-"));
    await writeFile(join(dir.path, "main.conf"), "stage { <apps.conf> }");
    await writeFile(join(dir.path, "apps.conf"), 'webapp "a" { .greeting = %baseDir }');
    await using stage = await bootFile(join(dir.path, "main.conf"), { baseDir: dir.path });
    expect(stage.find("webapp.a")?.part).toMatchObject({ greeting: dir.path });
  });

  test("reports what is wrong with the grammar and with the rest in one go", async () => {
    const { bootText, bootObject } = testEngine();
    expect(await textsOf(bootText("stage { .site = 1x webap {} }"))).toMatch(/_SYNTAX: .*\n[^]*_UNKNOWN_SIGN: .*\n/);
    const greeter = { sign: "greeter", name: "g", props: { pause: -1, size: "1s", names: ["a", 1.5] } };
    expect(await textsOf(bootObject({ sign: "stage", children: [greeter] }, { use: [mine] }))).toBe(
      [
        `greeter.g HEMI_CONFIG_BAD_VALUE: .pause is -1\n       numbers are integers from 0 to ${Number.MAX_SAFE_INTEGER}`,
        `greeter.g HEMI_CONFIG_BAD_VALUE: .names[1] is 1.5\n       numbers are integers from 0 to ${Number.MAX_SAFE_INTEGER}`,
        'greeter.g HEMI_CONFIG_BAD_VALUE: greeter "g": .size takes a size such as 64K, not the string "1s"',
      ].join("\n"),
    );
    expect(await textsOf(bootText('stage { webap "a" {} greeter "b" {} }', { name: "x.conf", use: [mine] }))).toBe(
      [
        'x.conf:1:9 HEMI_CONFIG_UNKNOWN_SIGN: there is no component "webap"',
        '    1 | stage { webap "a" {} greeter "b" {} }',
        "      |         ^^^^^ did you mean webapp?",
        'x.conf:1:22 HEMI_CONFIG_MISSING_PROP: greeter "b" needs .pause, a duration such as 30s',
        '    1 | stage { webap "a" {} greeter "b" {} }',
        "      |                      ^^^^^^^",
      ].join("\n"),
    );
  });

  test("reports what is wrong with an object at the component's path", async () => {
    const { bootObject } = testEngine();
    const tree = {
      sign: "stage",
      children: [{ sign: "greeter", name: "g", props: { pause: "x", size: "1s", names: [1], odd: true } }],
    };
    expect(await textsOf(bootObject(tree, { use: [mine] }))).toBe(
      [
        'greeter.g HEMI_CONFIG_BAD_VALUE: greeter "g": .size takes a size such as 64K, not the string "1s"',
        'greeter.g HEMI_CONFIG_BAD_VALUE: greeter "g": .pause takes a duration such as 30s, not the string "x"',
        'greeter.g HEMI_CONFIG_BAD_VALUE: greeter "g": .names[0] takes a string, not the integer 1',
        'greeter.g HEMI_CONFIG_UNKNOWN_PROP: greeter "g" has no property "odd"',
      ].join("\n"),
    );
  });

  test("refuses two definitions of one sign, and names both packs", async () => {
    const { bootText } = testEngine();
    const other = pack("@other/pack", [definer(probeWebappKind)({ ...greeter, sign: "hello", aliases: ["greeter"] })]);
    await expect(bootText("stage {}", { use: [mine, other] })).rejects.toMatchObject({
      code: "HEMI_CONFIG_SIGN_CONFLICT",
      message: 'the sign "greeter" is ambiguous: @mine/greeter and @other/pack both define it',
    });
    const twice = pack("@twice/pack", [greeter, { ...greeter }]);
    await expect(bootText("stage {}", { use: [twice] })).rejects.toThrow("@twice/pack defines it twice");
  });

  test("takes the same pack twice", async () => {
    const { bootText } = testEngine();
    await using stage = await bootText("stage {}", { use: [mine, mine] });
    expect(stage.state).toBe("created");
  });

  test("refuses definitions of a kind that the engine does not have", async () => {
    const { bootText } = testEngine();
    const strange = pack("@strange/pack", [defineAddon({ sign: "strange", create: () => ({}) })]);
    expect(addonKind.name).toBe("addon");
    await expect(bootText("stage {}", { use: [strange] })).rejects.toMatchObject({ code: "HEMI_USAGE" });
  });

  test("leaves a log that it was given open", async () => {
    const { bootText } = testEngine();
    const sink = new MemorySink();
    const log = openErrorLog({ sink, now: () => 0 });
    const stage = await bootText("stage {}", { log });
    await stage.start();
    await stage.quit();
    log.info("still open");
    expect(sink.lines).toEqual(["1970-01-01T00:00:00.000Z info still open\n"]);
  });
});

describe("a typed tree", () => {
  test("keeps signs, names and kinds as literal types, and knows the parts", async () => {
    const { bootTree } = testEngine();
    await using stage = await bootTree(
      {
        sign: "stage",
        children: [
          { sign: "testBackend", name: "api" },
          {
            sign: "webapp",
            name: "shop",
            props: { greeting: joinText("hi ", constant("baseDir")), peer: "api" },
            children: [{ sign: "rule", name: "all", when: '$path == "/"' }, { sign: "rule" }],
          },
          { sign: "greeter", name: "g", props: { pause: "30s", size: 3, names: ["a"], nodes: [{ weight: 1 }] } },
          { sign: "testServer", name: "main", props: { webapps: ["shop"] } },
        ],
      },
      { use: [mine], baseDir: "/base" },
    );
    const shop = stage.component("webapp.shop");
    expectTypeOf(shop.sign).toEqualTypeOf<"webapp">();
    expectTypeOf(shop.name).toEqualTypeOf<"shop">();
    expectTypeOf(shop.kind.name).toEqualTypeOf<"webapp">();
    expectTypeOf(shop.part).toEqualTypeOf<ProbePart>();
    expectTypeOf(stage.component("webapp.shop/rule.all").kind.name).toEqualTypeOf<"rule">();
    expectTypeOf(stage.component("testServer.main").kind).toEqualTypeOf<typeof probeServerKind>();
    expectTypeOf(stage.component("greeter.g").part.extra).toEqualTypeOf<number>();
    expect([shop.sign, shop.name, shop.kind.name, shop.part.greeting]).toEqual([
      "webapp",
      "shop",
      "webapp",
      "hi /base",
    ]);
    expect(stage.component("greeter.g").part.extra).toBe(7);
    // @ts-expect-error: the tree has no such component
    expect(() => stage.component("webapp.blog")).toThrow("the stage has no component webapp.blog");
  });

  test("is checked by the types of the packs in use", async () => {
    const { bootTree } = testEngine();
    const trees = [
      // @ts-expect-error: no such sign
      bootTree({ sign: "stage", children: [{ sign: "webap", name: "a" }] }),
      // @ts-expect-error: no pack in use has it
      bootTree({ sign: "stage", children: [{ sign: "greeter", name: "a", props: { pause: 1 } }] }),
      // @ts-expect-error: a port is a number
      bootTree({ sign: "stage", children: [{ sign: "webapp", name: "a", props: { port: true } }] }),
      // @ts-expect-error: nothing has such a prop
      bootTree({ sign: "stage", children: [{ sign: "webapp", name: "a", props: { prot: 1 } }] }),
      bootTree({
        sign: "stage",
        children: [
          {
            sign: "webapp",
            name: "a",
            children: [
              // @ts-expect-error: one of the words, deep in the tree
              { sign: "rule", props: { failAt: ["now"] } },
            ],
          },
        ],
      }),
      // @ts-expect-error: a component has no such key
      bootTree({ sign: "stage", childs: [] }),
      // @ts-expect-error: a prop that must be set of each component itself
      bootTree({ sign: "stage", children: [{ sign: "greeter", name: "a", props: { size: 1 } }] }, { use: [mine] }),
      // @ts-expect-error: the same, without any props
      bootTree({ sign: "stage", children: [{ sign: "greeter", name: "a" }] }, { use: [mine] }),
      // @ts-expect-error: a duration is not written like this
      bootTree({ sign: "stage", children: [{ sign: "greeter", name: "a", props: { pause: "1K" } }] }, { use: [mine] }),
    ];
    await Promise.all(trees.map((tree) => expect(tree).rejects.toThrow(ConfigError)));
  });

  test("names in it are checked by the types, whatever part of the tree has them", async () => {
    const { bootTree } = testEngine();
    const api = { sign: "testBackend", name: "api" } as const;
    const trees = [
      bootTree({
        sign: "stage",
        children: [
          api,
          // @ts-expect-error: there is no backend "apis"
          { sign: "webapp", name: "shop", props: { peer: "apis" } },
        ],
      }),
      bootTree({
        sign: "stage",
        children: [
          { sign: "webapp", name: "shop" },
          // @ts-expect-error: there is no backend "shop": it is a webapp
          { sign: "webapp", name: "blog", props: { peer: "shop" } },
        ],
      }),
      bootTree({
        sign: "stage",
        children: [
          { sign: "webapp", name: "shop" },
          // @ts-expect-error: there is no webapp "blog", deep in a list
          { sign: "testServer", name: "main", props: { webapps: ["shop", "blog"] } },
        ],
      }),
    ];
    await Promise.all(trees.map((tree) => expect(tree).rejects.toThrow(ConfigError)));
    const worked = ["a", "p", "i"].join("");
    await using stage = await bootTree({
      sign: "stage",
      children: [api, { sign: "webapp", name: "shop", props: { peer: worked } }],
    });
    expect(stage.find("webapp.shop")?.name).toBe("shop");
  });
});
